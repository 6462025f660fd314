/** Routes that were compiled elsewhere and crossed to this thread, against a search through their list. */
import { describe, expect, it } from 'vitest';
import { neighbourMessages } from '../../../src/control/host/neighbour-facts.js';
import { compileRoutes } from '../../../src/dataplane/table/compiled-routes.js';
import { Neighbours } from '../../../src/dataplane/table/neighbour.js';
import { covers, prefixOf, type Route, type Rule, wordsOf } from '../../../src/dataplane/table/route-data.js';
import { BLACKHOLE, LOCAL_ROUTE, NO_ROUTE, Router, UNKNOWN } from '../../../src/dataplane/table/routes.js';
import { Random } from '../../support/seed.js';

const TABLES = [254, 255, 7];
/** Of these the IPv6 rules begin with a conditional one, or with unconditional ones. */
const CONDITIONAL_FIRST: readonly Rule[] = [
  { family: 4, priority: 0, table: 255 },
  { family: 4, priority: 10, table: 7, mark: 5, mask: 0xff },
  { family: 4, priority: 32766, table: 254 },
  { family: 6, priority: 1, from: '2001:db8:5::/48', table: 7 },
  { family: 6, priority: 32766, table: 254 },
  { family: 4, priority: 40000, table: 99 },
];
const UNCONDITIONAL_FIRST: readonly Rule[] = [
  { family: 6, priority: 0, table: 255 },
  ...CONDITIONAL_FIRST.map((rule) => (rule.from === undefined ? rule : { ...rule, priority: 40000 })),
];

function anyAddress(random: Random, family: 4 | 6): string {
  const byte = () => random.below(4);
  return family === 4 ? `10.${byte()}.${byte()}.${byte()}` : `2001:db8:${byte()}::${byte() + 1}`;
}

function anyRoute(random: Random, i: number): Route {
  const family = random.pick([4, 4, 6] as const);
  const lengths = family === 4 ? [0, 8, 15, 24, 31, 32] : [0, 16, 32, 48, 63, 64, 127, 128];
  const type = random.pick(['unicast', 'unicast', 'unicast', 'local', 'blackhole', 'unreachable'] as const);
  return {
    family,
    to: `${anyAddress(random, family)}/${random.pick(lengths)}`,
    device: random.below(3),
    type,
    metric: i,
    ...(random.bool() && { via: anyAddress(random, family) }),
    ...(random.bool() && { src: anyAddress(random, family) }),
    ...(random.bool() && { mtu: 1000 + i }),
  };
}

interface Answer {
  readonly hop: string | number;
  readonly mtu: number;
  readonly source: string;
}

/** By the definition: rules by priority, in each table the longest prefix, of equal ones the lowest metric. */
function wanted(
  rules: readonly Rule[],
  tables: ReadonlyMap<number, Route[]>,
  family: 4 | 6,
  dst: string,
  src: string,
  mark: number,
): Answer {
  const nothing = { mtu: 0, source: '' };
  for (const rule of [...rules].sort((a, b) => a.priority - b.priority)) {
    const { mark: value = 0, mask = 0, from, table } = rule;
    if (rule.family !== family || ((mark ^ value) & mask) !== 0) continue;
    if (from !== undefined && !covers(prefixOf(from, family)!, wordsOf(src)!, family)) continue;
    const found = (tables.get(table) ?? [])
      .filter((route) => route.family === family && covers(prefixOf(route.to, family)!, wordsOf(dst)!, family))
      .sort((a, b) => Number(b.to.split('/')[1]) - Number(a.to.split('/')[1]) || a.metric - b.metric)[0];
    if (found === undefined) continue;
    if (found.type === 'local') return { hop: LOCAL_ROUTE, ...nothing };
    if (found.type === 'blackhole') return { hop: BLACKHOLE, ...nothing };
    if (found.type !== 'unicast') return { hop: NO_ROUTE, ...nothing };
    const hop = `${found.device} ${wordsOf(found.via ?? dst)}`;
    return {
      hop,
      mtu: found.mtu ?? 1500 + found.device,
      source: `${found.src === undefined ? '' : wordsOf(found.src)}`,
    };
  }
  return { hop: NO_ROUTE, ...nothing };
}

describe('compiled routes', () => {
  it('that crossed to another thread answer as the list does, with every cache warm', () => {
    const random = new Random();
    const neighbours = new Neighbours();
    let gateways = 0;
    const router = new Router(neighbours, (device) => 1500 + device);
    const asked = (family: 4 | 6, dst: string, src: string, mark: number): Answer => {
      const [to, from] = [wordsOf(dst)!, wordsOf(src)!];
      const found = family === 4 ? router.lookup4(to[3]!, from[3]!, mark) : router.lookup6(to, from, mark);
      const known = family === 4 ? UNKNOWN : router.gateway6(to, 0);
      if (known !== UNKNOWN) expect(known).toBe(found);
      if (known !== UNKNOWN) gateways++;
      if (found < 0) return { hop: found, mtu: 0, source: '' };
      const { device, words } = neighbours.all[found]!;
      const source4 = router.source === 0 ? '' : `0,0,0,${router.source}`;
      return { hop: `${device} ${words}`, mtu: router.mtu, source: family === 4 ? source4 : `${router.source6 ?? ''}` };
    };
    for (let round = 0; round < 100; round++) {
      const rules = round % 2 === 0 ? CONDITIONAL_FIRST : UNCONDITIONAL_FIRST;
      const list = Array.from({ length: random.below(20) }, (_, i) => anyRoute(random, i));
      const tables = new Map(TABLES.map((id) => [id, list.filter(() => random.bool())]));
      const data = { tables: [...tables].map(([id, routes]) => ({ id, routes })), rules };
      router.replace(structuredClone(compileRoutes(data)));
      for (let n = 0; n < 60; n++) {
        const family = random.pick([4, 6] as const);
        const [dst, src] = [anyAddress(random, family), anyAddress(random, family)];
        const mark = random.pick([0, 0, 5]);
        const context = `seed ${random.seed}, round ${round}: ${dst} from ${src}, mark ${mark}`;
        for (const _ of [1, 2])
          expect(asked(family, dst, src, mark), context).toEqual(wanted(rules, tables, family, dst, src, mark));
      }
    }
    expect(gateways).toBeGreaterThan(100);
  });

  it.each([4, 6] as const)('of 20,000 are some arrays, not 20,000 objects: IPv%i', (family) => {
    const to = (i: number) => (family === 4 ? `10.77.${i >> 8}.${i & 255}/32` : `2001:db8:${i.toString(16)}::/48`);
    const routes = Array.from({ length: 20_000 }, (_, i): Route => {
      return { family, to: to(i), device: 0, type: 'unicast', metric: 0 };
    });
    const { rules, rules6, ...arrays } = compileRoutes({
      tables: [{ id: 254, routes }],
      rules: [{ family, priority: 1, table: 254 }],
    });
    expect(JSON.stringify([rules, rules6].map((list) => list.map(({ rule }) => rule))).length).toBeLessThan(100);
    const { rows, gateways, fib6 } = arrays;
    const words = [rows, ...Object.values(gateways), ...Object.values(fib6)].map(({ length }) => length);
    expect(words.reduce((a, b) => a + b) / 20_000).toBeLessThan(32);
  });

  it('neighbours cross in pieces, in their order', () => {
    const facts = Array.from({ length: 450 }, (_, i) => ({
      device: 0,
      ip: `10.0.${i >> 8}.${i & 255}`,
      mac: '',
      failed: false,
    }));
    const pieces = neighbourMessages(facts).map((message) => (message.kind === 'neighbours' ? message.facts : []));
    expect(pieces.map((piece) => piece.length)).toEqual([200, 200, 50]);
    expect(pieces.flat()).toEqual(facts);
    expect(neighbourMessages([])).toEqual([]);
  });
});

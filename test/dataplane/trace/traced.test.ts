/**
 * A trace changes nothing but what it tells: a director that is traced does what one that is not traced does, and the records
 * are those of a director that has no fast path. Packets that the filter does not match stay on the fast path.
 */
import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../../src/control/server/trace-filter.js';
import { Trace, type TraceRecord } from '../../../src/dataplane/trace/trace.js';
import { Random } from '../../support/seed.js';
import { framesFor, type Source, USUAL } from '../fastpath/cases.js';
import { directorOf } from '../fastpath/network.js';
import { type Left, Side } from '../fastpath/side.js';
import { between } from '../fastpath/traffic.js';

const ROUNDS = 60;
/** One service without a destination, so that SYNs of the fast path are dropped by the slow path's second half. */
const NETWORK = { rules: '-A -t 10.0.0.104:80 -s rr', config: 'sysctl: { nat_icmp_send: 1 }' };

const refused: Source = (random, device) =>
  device === 0 ? between(random, 0, '11.0.0.2', '10.0.0.104', { sport: 5000 + random.below(9), dport: 80 }) : undefined;

async function traced(isFast: boolean, filter: string | undefined, dropsOnly: boolean, count: number) {
  const records: TraceRecord[] = [];
  const side = new Side(await directorOf(NETWORK), isFast);
  const d = side.inner.director;
  if (filter !== undefined)
    d.trace = new Trace(d, { filter: parseFilter(filter), dropsOnly, count }, (record) => records.push(record));
  return { side, records };
}

async function run(filter: string, dropsOnly = false, count = 1e9) {
  const random = new Random();
  const untraced = await traced(true, undefined, false, 0);
  const fast = await traced(true, filter, dropsOnly, count);
  const slow = await traced(false, filter, dropsOnly, count);
  const left: Left[] = [];
  for (let round = 0, now = 0; round < ROUNDS; round++) {
    now += random.pick([0, 1, 10, 100, 3000]);
    const device = random.below(2);
    const frames = framesFor(random, device, [...USUAL, refused], left);
    for (const { side } of [untraced, fast, slow]) side.turn(now, device, frames);
    expect(fast.side.state(), `seed ${random.seed}, round ${round}`).toEqual(untraced.side.state());
    expect(fast.records.splice(0), `seed ${random.seed}, round ${round}`).toEqual(slow.records.slice(told(slow)));
    left.push(...fast.side.left);
  }
  return { untraced: untraced.side, fast: fast.side, records: slow.records };
}

/** Records of earlier rounds. */
const seen = new WeakMap<object, number>();
function told(one: { readonly records: readonly TraceRecord[] }): number {
  const before = seen.get(one) ?? 0;
  seen.set(one, one.records.length);
  return before;
}

describe('a trace', () => {
  it.each([
    ['host 11.0.0.1', 50],
    ['tcp and host 10.0.0.1 and port 1003', 10],
    ['not host 10.0.0.1 and not port 53', 100],
    ['udp or src net 192.168.1.0/24', 100],
    ['dst portrange 1000-1002', 20],
  ])('of "%s": same frames, counters, table; only what it matches leaves the fast path', async (filter, least) => {
    const { untraced, fast, records } = await run(filter);
    expect(records.length).toBeGreaterThan(least);
    expect(fast.fast.length).toBeGreaterThan(50);
    expect(fast.fast.length).toBeLessThan(untraced.fast.length);
  });

  it('of nothing that comes leaves the fast path as it is', async () => {
    const { untraced, fast, records } = await run('host 10.77.0.1 or ip6');
    expect(records).toEqual([]);
    expect(fast.fast).toEqual(untraced.fast);
  });

  it('of drops tells every drop, and leaves the fast path as it is', async () => {
    const { untraced, fast, records } = await run('', true);
    expect(fast.fast).toEqual(untraced.fast);
    const verdicts = new Set(records.map(({ verdict }) => verdict));
    for (const reason of ['noDestination', 'otherHost', 'ttlExceeded', 'mtuExceeded', 'badHeaderChecksum'])
      expect(verdicts).toContain(reason);
    const noDestination = records.find(({ verdict, steps }) => verdict === 'noDestination' && steps.length > 0);
    expect(noDestination!.steps.map(({ step }) => step)).toEqual(['service', 'none', 'neighbour']);
  });

  it('that is over diverts nothing any more', async () => {
    const { untraced, fast, records } = await run('tcp', false, 20);
    expect(records).toHaveLength(20);
    expect(untraced.fast.length - fast.fast.length).toBeLessThan(200);
  });
});

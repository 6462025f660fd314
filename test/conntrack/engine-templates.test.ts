/** Templates by what an engine found: against a plain map, in both families, until the table is full and empty again. */
import { describe, expect, it } from 'vitest';
import { Connections } from '../../src/conntrack/connections.js';
import {
  engineOf,
  findEngineTemplate,
  keyText,
  setEngineKey,
  TemplateKey,
} from '../../src/conntrack/engine-templates.js';
import { CONN_TEMPLATE } from '../../src/conntrack/entry.js';
import { fillEntry, findTemplate } from '../../src/conntrack/find-wide.js';
import { ConnectionTable } from '../../src/conntrack/table.js';
import { listConnections } from '../../src/control/server/live-counters.js';
import { Random } from '../support/seed.js';

const ENGINE = 1;
const UDP = 17;
const BYTES = new Uint8Array(512);
const NOBODY = new Int32Array(4);

interface Words {
  readonly family: number;
  readonly caddr: Int32Array;
  readonly vaddr: Int32Array;
  readonly vport: number;
  readonly text: string;
}

function keyFor({ family, caddr, vaddr, vport, text }: Words): TemplateKey {
  const key = new TemplateKey();
  Object.assign(key, { family, protocol: UDP, vport, engine: ENGINE, bytes: BYTES, at: 3, length: text.length });
  key.caddr.set(caddr);
  key.vaddr.set(vaddr);
  BYTES.fill(0xa5);
  BYTES.set(Buffer.from(text, 'latin1'), 3);
  return key;
}

/** 0 when there is no room. */
function add(connections: Connections, words: Words): number {
  const { table } = connections;
  const key = keyFor(words);
  const entry = table.alloc();
  if (entry === 0) return 0;
  const { family, vport } = words;
  const filled = fillEntry(table, entry, family, UDP, key.caddr, 0, key.vaddr, vport, NOBODY, 5060) !== 0;
  if (filled && setEngineKey(table, entry, key)) {
    connections.open(entry, undefined, CONN_TEMPLATE);
    return entry;
  }
  table.free(entry);
  return 0;
}

function network(random: Random, family: number): Int32Array {
  return family === 4 ? Int32Array.of(0, 0, 0, random.below(3)) : Int32Array.of(0x20010db8, 0, 0, random.below(3));
}

function anything(random: Random): Words {
  const family = random.pick([4, 6]);
  const length = random.pick([1, 3, 4, 47, 48, 49, 104, 105, 255, random.between(1, 255)]);
  const text = Array.from({ length }, () => random.pick(['a', 'b', '\u00ff'])).join('');
  const [caddr, vaddr] = [network(random, family), network(random, family)];
  return { family, caddr, vaddr, vport: random.pick([0, 5060]), text };
}

const nameOf = (words: Words): string => JSON.stringify({ ...words, caddr: [...words.caddr], vaddr: [...words.vaddr] });

describe('templates with a key', () => {
  it('are found by all of it and by nothing less, whatever comes and goes', () => {
    const random = new Random();
    const connections = new Connections(new ConnectionTable(4000), []);
    const { table } = connections;
    const model = new Map<string, { words: Words; entry: number }>();
    let refused = 0;
    for (let round = 0; round < 20_000; round++) {
      const words = anything(random);
      const name = nameOf(words);
      const known = model.get(name);
      expect(findEngineTemplate(table, keyFor(words)), `seed ${random.seed} round ${round}`).toBe(known?.entry ?? 0);
      if (known !== undefined || random.below(3) === 0) {
        const gone = known === undefined ? [...model.values()][random.below(model.size)] : known;
        if (gone === undefined) continue;
        connections.expireNow(gone.entry);
        model.delete(nameOf(gone.words));
      } else {
        const entry = add(connections, words);
        if (entry === 0) refused++;
        else model.set(name, { words, entry });
      }
    }
    expect(refused).toBeGreaterThan(100);
    for (const { words, entry } of model.values()) {
      expect([engineOf(table.words, entry), keyText(table.words, entry)]).toEqual([ENGINE, words.text]);
      connections.expireNow(entry);
    }
    expect(table.live).toBe(0);
  });

  it('are listed with their client, their engine and its key', () => {
    const connections = new Connections(new ConnectionTable(100), []);
    const caddr = Int32Array.of(0, 0, 0, 0x0a000001);
    add(connections, {
      family: 4,
      caddr,
      vaddr: Int32Array.of(0, 0, 0, 0x0a000064),
      vport: 5060,
      text: 'l'.repeat(255),
    });
    expect(listConnections(connections.words, 0, () => '')).toMatchObject([
      { caddr: '10.0.0.1', cport: 0, vaddr: '10.0.0.100', vport: 5060, peName: 'sip', peData: 'l'.repeat(255) },
    ]);
  });

  it('are no templates of the client to a service without an engine', () => {
    const connections = new Connections(new ConnectionTable(100), []);
    const words = {
      family: 4,
      caddr: Int32Array.of(0, 0, 0, 1),
      vaddr: Int32Array.of(0, 0, 0, 2),
      vport: 80,
      text: 'x',
    };
    add(connections, words);
    expect(findTemplate(connections.table, 4, UDP, words.caddr, words.vaddr, 80)).toBe(0);
  });

  it('of one client do not make one long chain', () => {
    const connections = new Connections(new ConnectionTable(65_536), []);
    const { table } = connections;
    const caddr = Int32Array.of(0, 0, 0, 7);
    // Texts that differ in bits which a weak hash would cancel out again.
    for (let i = 0; i < 16_384; i++) {
      const text = Array.from({ length: 14 }, (_, bit) => (i & (1 << bit) ? '\u00c1e\u00c1a' : 'AaAe')).join('');
      expect(add(connections, { family: 4, caddr, vaddr: caddr, vport: 5060, text: `${text}@` })).not.toBe(0);
    }
    let longest = 0;
    for (const head of table.buckets) {
      let length = 0;
      for (let entry = head; entry !== 0; entry = table.next(entry)) length++;
      longest = Math.max(longest, length);
    }
    expect(longest).toBeLessThan(16);
  });
});

/** A table under random insertions and removals against a list, with clients that crowd their chains; and what crowding costs. */
import { describe, expect, it } from 'vitest';
import { CONN_INDEXED, ENTRY_SHIFT, FLAGS } from '../../../src/conntrack/entry.js';
import { fillEntry, findIn6, findOut6 } from '../../../src/conntrack/find-wide.js';
import { ConnectionTable } from '../../../src/conntrack/table.js';
import { Random } from '../../support/seed.js';

const TCP = 6;
interface Flow {
  readonly entry: number;
  readonly family: 4 | 6;
  readonly caddr: Int32Array;
  readonly cport: number;
  readonly vaddr: Int32Array;
  readonly vport: number;
  readonly daddr: Int32Array;
  readonly dport: number;
}

function anyFlow(random: Random, table: ConnectionTable): Flow {
  const family = random.pick([4, 6] as const);
  const address = (last: number) => Int32Array.of(family === 6 ? 0x20010db8 : 0, 0, 0, last);
  const flow = {
    entry: table.alloc(),
    family,
    caddr: address(random.below(3)),
    cport: random.below(2),
    vaddr: address(1000 + random.below(300)),
    vport: random.below(3),
    daddr: address(5000 + random.below(3)),
    dport: random.below(2),
  };
  const { caddr, cport, vaddr, vport, daddr, dport } = flow;
  fillEntry(table, flow.entry, family, TCP, caddr, cport, vaddr, vport, daddr, dport);
  table.insert(flow.entry);
  return flow;
}

function findIn(table: ConnectionTable, f: Flow): number {
  const ports = (f.cport << 16) | f.vport;
  return f.family === 4
    ? table.findIn4(TCP, f.caddr[3]!, f.vaddr[3]!, ports)
    : findIn6(table, TCP, f.caddr, f.vaddr, ports);
}
function findOut(table: ConnectionTable, f: Flow): number {
  return f.family === 4
    ? table.findOut4(TCP, f.daddr[3]!, f.dport, f.caddr[3]!, f.cport)
    : findOut6(table, TCP, f.daddr, f.dport, f.caddr, f.cport);
}
function inKey(f: Flow): string {
  return [f.family, ...f.caddr, f.cport, ...f.vaddr, f.vport].join();
}
function outKey(f: Flow): string {
  return [f.family, ...f.caddr, f.cport, ...f.daddr, f.dport].join();
}

describe('a crowded table', () => {
  it('finds what was inserted, the newest of a tuple, and nothing else, in both directions', () => {
    const random = new Random();
    const table = new ConnectionTable(8192);
    const flows: Flow[] = [];
    for (let round = 0; round < 6000; round++) {
      if (flows.length < 1500 && random.below(5) < 3) flows.push(anyFlow(random, table));
      else if (flows.length > 0) {
        const [gone] = flows.splice(random.below(flows.length), 1);
        table.remove(gone!.entry);
        table.free(gone!.entry);
      }
      const probe = flows.length > 0 && random.bool() ? random.pick(flows) : undefined;
      if (probe === undefined) continue;
      const why = `seed ${random.seed}, round ${round}`;
      expect(findIn(table, probe), why).toBe(flows.findLast((f) => inKey(f) === inKey(probe))!.entry);
      expect(findOut(table, probe), why).toBe(flows.findLast((f) => outKey(f) === outKey(probe))!.entry);
    }
    expect(table.tupleIndex.size).toBeGreaterThan(100);
    for (const { entry } of flows) table.remove(entry);
    expect(table.tupleIndex.size).toBe(0);
    for (const flow of flows) expect([findIn(table, flow), findOut(table, flow)]).toEqual([0, 0]);
  });

  it('looks at few entries for a client that walks 65,536 addresses, as for 65,536 clients', () => {
    const table = new ConnectionTable(1 << 17);
    const one = (i: number) => Int32Array.of(0, 0, 0, i);
    for (let i = 0; i < 65_536; i++) {
      const entry = table.alloc();
      fillEntry(table, entry, 4, TCP, one(1), 4000, one(i), 80, one(2), 80);
      table.insert(entry);
    }
    let chained = 0;
    for (let entry = table.chain(TCP, 1, 4000); entry !== 0; entry = table.next(entry)) chained++;
    expect(chained).toBeLessThan(16);
    for (let i = 0; i < 65_536; i += 97) expect(table.findIn4(TCP, 1, i, (4000 << 16) | 80)).toBe(i + 1);
    for (let entry = 1; entry <= 65_536; entry++) table.remove(entry);
    expect(table.findIn4(TCP, 1, 9, (4000 << 16) | 80)).toBe(0);
    expect(table.words[(9 << ENTRY_SHIFT) + FLAGS]! & CONN_INDEXED).toBe(0);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { CADDR, DADDR, DPORT_PROTO_STATE, ENTRY_SHIFT, PORTS, VADDR } from '../../src/conntrack/entry.js';
import { ConnectionTable } from '../../src/conntrack/table.js';
import { Random } from '../support/seed.js';

interface Flow {
  readonly protocol: number;
  readonly caddr: number;
  readonly cport: number;
  readonly vaddr: number;
  readonly vport: number;
  readonly daddr: number;
  readonly dport: number;
}

const VIP = 0x0a000064;

let table: ConnectionTable;
beforeEach(() => {
  table = new ConnectionTable(60_000);
});

function add(flow: Flow): number {
  const entry = table.alloc();
  if (entry === 0) return 0;
  const at = entry << ENTRY_SHIFT;
  table.words[at + CADDR] = flow.caddr;
  table.words[at + VADDR] = flow.vaddr;
  table.words[at + DADDR] = flow.daddr;
  table.words[at + PORTS] = (flow.cport << 16) | flow.vport;
  table.words[at + DPORT_PROTO_STATE] = (flow.dport << 16) | (flow.protocol << 8);
  table.insert(entry);
  return entry;
}

function randomFlow(random: Random): Flow {
  return {
    protocol: random.pick([6, 17]),
    caddr: random.u32() | 0,
    cport: random.below(65536),
    vaddr: VIP,
    vport: 80 + random.below(3),
    daddr: 0x0a010000 + random.below(5),
    dport: 8080,
  };
}

const findIn = (flow: Flow) => table.findIn4(flow.protocol, flow.caddr, flow.vaddr, (flow.cport << 16) | flow.vport);
const findOut = (flow: Flow) => table.findOut4(flow.protocol, flow.daddr, flow.dport, flow.caddr, flow.cport);

describe('ConnectionTable', () => {
  it('agrees with a map while it grows and shrinks', () => {
    const random = new Random();
    const model = new Map<number, Flow>();
    for (let i = 0; i < 60_000; i++) {
      if (random.below(4) > 0 || model.size === 0) {
        const flow = randomFlow(random);
        const entry = add(flow);
        expect(model.has(entry)).toBe(false);
        model.set(entry, flow);
      } else {
        const [entry] = model.keys();
        table.remove(entry!);
        table.free(entry!);
        const gone = model.get(entry!)!;
        model.delete(entry!);
        expect(findIn(gone)).toBe(0);
      }
    }
    expect(table.live).toBe(model.size);
    expect(table.vipCounts.mayHave(VIP)).toBe(true);
    for (const entry of model.keys()) table.remove(entry);
    expect(table.vipCounts.mayHave(VIP)).toBe(false);
    for (const entry of model.keys()) table.insert(entry);
    for (const [entry, flow] of model) {
      expect(findIn(flow)).toBe(entry);
      expect(findOut(flow)).toBe(entry);
    }
  });

  it('tells protocols, ports and both addresses apart', () => {
    const flow: Flow = { protocol: 6, caddr: 1, cport: 2, vaddr: 3, vport: 4, daddr: 5, dport: 6 };
    const entry = add(flow);
    for (const other of [{ protocol: 17 }, { caddr: 9 }, { cport: 9 }, { vaddr: 9 }, { vport: 9 }])
      expect(findIn({ ...flow, ...other })).toBe(0);
    for (const other of [{ protocol: 17 }, { caddr: 9 }, { cport: 9 }, { daddr: 9 }, { dport: 9 }])
      expect(findOut({ ...flow, ...other })).toBe(0);
    expect([findIn(flow), findOut(flow)]).toEqual([entry, entry]);
  });

  it('finds the newest of two with the same key', () => {
    const flow: Flow = { protocol: 6, caddr: 1, cport: 2, vaddr: 3, vport: 4, daddr: 5, dport: 6 };
    add(flow);
    const second = add({ ...flow, daddr: 7 });
    expect(findIn(flow)).toBe(second);
  });

  it('says when it is full, and lends lines again', () => {
    table = new ConnectionTable(100);
    const random = new Random();
    const entries = Array.from({ length: 100 }, () => add(randomFlow(random)));
    expect(new Set(entries).size).toBe(100);
    expect([table.alloc(), table.isFull]).toEqual([0, true]);
    table.remove(entries[3]!);
    table.free(entries[3]!);
    expect(add(randomFlow(random))).toBe(entries[3]);
  });

  it('spreads clients of one network evenly, whatever the secret', () => {
    for (const secret of [Int32Array.of(1, 2, 3), Int32Array.of(-5, 99, 123_456_789)]) {
      table = new ConnectionTable(60_000, undefined, secret);
      for (let i = 0; i < 4096; i++)
        add({ protocol: 6, caddr: 0x0a000000 + i, cport: 4000, vaddr: 1, vport: 80, daddr: 2, dport: 80 });
      let longest = 0;
      for (let i = 0; i < 4096; i++) {
        let length = 0;
        for (let e = table.chain(6, 0x0a000000 + i, 4000); e !== 0; e = table.next(e)) length++;
        longest = Math.max(longest, length);
      }
      expect(longest).toBeLessThan(12);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { Connections } from '../../src/conntrack/connections.js';
import { CONN_HELPER, CONN_NO_CPORT, TICKS } from '../../src/conntrack/entry.js';
import { fillClientPort, listen } from '../../src/conntrack/expected.js';
import { fillEntry } from '../../src/conntrack/find-wide.js';
import { SeqAdj, SequenceShift } from '../../src/conntrack/seqadj.js';
import { ConnectionTable } from '../../src/conntrack/table.js';
import { Tcp } from '../../src/conntrack/tcp.js';
import { Random } from '../support/seed.js';

describe('shifted sequence numbers', () => {
  it('keep a stream whole whose text changes again and again, around the wrap too', () => {
    const random = new Random();
    for (let round = 0; round < 50; round++) {
      const shift = new SequenceShift();
      let seq = random.pick([random.i32(), -50, 0x7fffff00]);
      let sum = 0;
      let last = seq;
      for (let i = 0; i < 200; i++) {
        const said = { seed: random.seed, round, i };
        const length = random.between(10, 100);
        const by = random.below(4) === 0 ? random.between(-9, 9) : 0;
        shift.resized(seq, by);
        // The segment itself starts where the last one ended; what follows it is further along.
        expect({ ...said, at: shift.toClient(seq) }).toEqual({ ...said, at: (seq + sum) | 0 });
        if (by !== 0) last = seq;
        sum += by;
        seq = (seq + length) | 0;
        expect({ ...said, ack: shift.toDestination((seq + sum) | 0) }).toEqual({ ...said, ack: seq });
        expect({ ...said, next: shift.toClient(seq) }).toEqual({ ...said, next: (seq + sum) | 0 });
        // A segment that comes again, resized as before, changes nothing.
        shift.resized(last, by);
        expect({ ...said, next: shift.toClient(seq) }).toEqual({ ...said, next: (seq + sum) | 0 });
      }
      expect(shift.isShifted).toBe(sum !== 0 || shift.toClient(last) !== last);
    }
  });

  it('are none before the first change', () => {
    const shift = new SequenceShift();
    shift.resized(-5, 0);
    expect(shift.isShifted).toBe(false);
    expect(shift.toClient(-5)).toBe(-5);
    expect(shift.toDestination(7)).toBe(7);
  });
});

const CLIENT = Int32Array.of(0, 0, 0, 0x0a000001);
const VIP = Int32Array.of(0, 0, 0, 0x0a000064);
const SERVER = Int32Array.of(0, 0, 0, 0x0a010001);

function opened(connections: Connections, cport: number, vport: number, flags = 0): number {
  const { table } = connections;
  const entry = fillEntry(table, table.alloc(), 4, 6, CLIENT, cport, VIP, vport, SERVER, vport);
  connections.open(entry, undefined, flags);
  return entry;
}

describe('helped connections', () => {
  it('are those of a helper port whose addresses are rewritten', () => {
    const connections = new Connections(new ConnectionTable(100), []);
    connections.helperPorts = [21, 2121];
    const seqAdj = (entry: number) => (connections.flagsOf(entry) & CONN_HELPER) !== 0;
    expect(seqAdj(opened(connections, 4000, 21))).toBe(true);
    expect(seqAdj(opened(connections, 4000, 2121))).toBe(true);
    expect(seqAdj(opened(connections, 4000, 22))).toBe(false);
    expect(seqAdj(opened(connections, 4000, 21, 3))).toBe(false);
  });

  it('are forgotten with their entry', () => {
    const connections = new Connections(new ConnectionTable(100), []);
    connections.helperPorts = [21];
    const entry = opened(connections, 4000, 21);
    connections.seqAdj.set(entry, new SeqAdj());
    connections.tick(10 * TICKS);
    expect(connections.seqAdj.size).toBe(0);
    expect(connections.table.live).toBe(0);
  });
});

describe('expected connections', () => {
  it('are found by the client port once it is known, and not before', () => {
    const connections = new Connections(new ConnectionTable(100), []);
    const { table } = connections;
    const entry = opened(connections, 0, 30001, CONN_NO_CPORT);
    expect(connections.withoutPort).toBe(1);
    expect(table.findIn4(6, CLIENT[3]!, VIP[3]!, (5000 << 16) | 30001)).toBe(0);
    expect(table.findIn4(6, CLIENT[3]!, VIP[3]!, 30001)).toBe(entry);
    fillClientPort(connections, entry, 5000);
    expect(connections.withoutPort).toBe(0);
    expect(table.findIn4(6, CLIENT[3]!, VIP[3]!, 30001)).toBe(0);
    expect(table.findIn4(6, CLIENT[3]!, VIP[3]!, (5000 << 16) | 30001)).toBe(entry);
    expect(table.findOut4(6, SERVER[3]!, 30001, CLIENT[3]!, 5000)).toBe(entry);
  });

  it('listen for 120 s and are then forgotten, uncounted', () => {
    const connections = new Connections(new ConnectionTable(100), []);
    const entry = opened(connections, 0, 30001, CONN_NO_CPORT);
    listen(connections, entry);
    expect(connections.stateOf(entry)).toBe(Tcp.LISTEN);
    connections.tick(119 * TICKS);
    expect(connections.table.live).toBe(1);
    connections.tick(120 * TICKS);
    expect(connections.table.live).toBe(0);
    expect(connections.withoutPort).toBe(0);
  });
});

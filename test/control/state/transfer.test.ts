/** Connections that go into tables of another size or number: the same ones, whole, or none. */
import { describe, expect, it } from 'vitest';
import { describe as described } from '../../../src/conntrack/describe.js';
import { engineOf, keyText } from '../../../src/conntrack/engine-templates.js';
import {
  CADDR,
  CONN_HASHED,
  CONN_INDEXED,
  CONN_REVERSE,
  CONTROL,
  ENTRY_SHIFT,
  EXPIRES,
  FLAGS,
  PORTS,
  TIMEOUT,
} from '../../../src/conntrack/entry.js';
import { type OwnerOf, Transfer } from '../../../src/control/state/transfer.js';
import { Random } from '../../../src/dataplane/table/random.js';
import { Counters, GAUGES } from '../../../src/stats/counters.js';
import {
  copied,
  DESTS,
  faultOf,
  hashed,
  isGauge,
  LINES,
  memory,
  Process,
  populated,
} from '../../conntrack/processes.js';

const NOW = 1000;

/** What an entry is, wherever it lies; `parent` too. */
function textOf(process: Process, entry: number): string {
  const { table, connections } = process;
  const at = entry << ENTRY_SHIFT;
  const { words } = table;
  const shift = connections.seqAdj.get(entry)?.shift.toClient(2 ** 30) ?? 0;
  const key = engineOf(words, entry) === 0 ? '' : keyText(words, entry);
  const flags = words[at + FLAGS]! & ~CONN_INDEXED;
  const times = [words[at + EXPIRES], words[at + TIMEOUT]];
  return JSON.stringify([described(words, entry, () => ''), flags, times, shift, key]);
}

/** Connections, `withParents` with the text of their parent, in an order of their own. */
function listed(processes: readonly Process[], withParents = false): string[] {
  return processes
    .flatMap((process) =>
      hashed(process.table)
        .filter((entry) => (process.connections.flagsOf(entry) & CONN_REVERSE) === 0)
        .map((entry) => {
          const parent = process.table.words[(entry << ENTRY_SHIFT) + CONTROL]!;
          return textOf(process, entry) + (withParents && parent !== 0 ? textOf(process, parent) : '');
        }),
    )
    .sort();
}

/** By the client's address: families of connections may be parted. */
const byClient =
  (count: number): OwnerOf =>
  (words, entry) =>
    (words[(entry << ENTRY_SHIFT) + CADDR]! >>> 1) % count;

/** New processes on new tables with what the former ones had. They share gauges, as workers do. */
function moved(former: readonly Process[], lines: readonly number[], ownerOf: OwnerOf) {
  const fresh = lines.map((n) => memory(n));
  const counters = new Counters();
  const tables = fresh.map((one, i) => new Process(one, NOW, counters, lines[i]!).table);
  const work = new Transfer(tables, ownerOf);
  former.forEach(({ table }, i) => void work.take(table, i));
  const processes = fresh.map((one, i) => new Process(one, NOW, counters, lines[i]!));
  for (const process of processes) expect(process.rebuild().lost).toBe(0);
  return { work, processes, gauges: [...counters.gauges.subarray(0, DESTS * GAUGES)].filter(isGauge) };
}

describe('connections of former tables', () => {
  it('are the same in a larger table', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const before = populated(new Random(seed));
      const gauges = [...before.counters.gauges.subarray(0, DESTS * GAUGES)].filter(isGauge);
      const { work, processes, gauges: after } = moved([before], [3 * LINES], () => 0);
      expect([work.lost, work.unfit]).toEqual([0, 0]);
      expect(listed(processes, true)).toEqual(listed([before], true));
      expect(after).toEqual(gauges);
    }
  });

  it('are the same in two tables, and in one again, but for parents in the other table', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const before = populated(new Random(seed));
      const two = moved([before], [LINES, LINES], byClient(2));
      const one = moved(two.processes, [2 * LINES], () => 0);
      expect(two.processes.every(({ table }) => table.live > 0)).toBe(true);
      for (const { processes, gauges } of [two, one]) {
        expect(listed(processes)).toEqual(listed([before]));
        expect(gauges).toEqual([...before.counters.gauges.subarray(0, DESTS * GAUGES)].filter(isGauge));
      }
      expect(listed(one.processes, true)).toEqual(listed(two.processes, true));
      expect(faultOf(one.processes[0]!, 2 * LINES)).toBe('');
    }
  });

  it('are taken as far as a smaller table has room, whole, and the others are counted', () => {
    for (const room of [1, 7, 40, 80]) {
      const before = populated(new Random(4));
      const all = hashed(before.table).filter((entry) => (before.connections.flagsOf(entry) & CONN_REVERSE) === 0);
      const { work, processes } = moved([before], [room], () => 0);
      expect(work.unfit).toBeGreaterThan(0);
      expect(work.kept + work.unfit).toBe(all.length);
      const there = new Set(listed([before]));
      for (const text of listed(processes)) expect(there).toContain(text);
      expect(faultOf(processes[0]!, room)).toBe('');
    }
  });

  it('that were damaged are not taken', () => {
    const before = populated(new Random(3));
    for (const entry of hashed(before.table).slice(0, 40)) {
      const damaged = new Process(copied(before.memory), NOW);
      damaged.table.words[(entry << ENTRY_SHIFT) + PORTS]! ^= 1 << (entry & 15);
      const { work, processes } = moved([damaged], [LINES], () => 0);
      expect(work.lost).toBeGreaterThan(0);
      expect(listed(processes).length).toBe(work.kept);
      expect(faultOf(processes[0]!)).toBe('');
    }
  });

  it('are sound whatever random words lay in the former table', () => {
    const random = new Random(23);
    const before = populated(new Random(6));
    for (let run = 0; run < 200; run++) {
      const damaged = new Process(copied(before.memory), NOW);
      const { words } = damaged.table;
      for (let n = random.below(60); n > 0; n--)
        words[random.below(words.length)] = random.below(2) === 0 ? random.below(200) : random.below(2 ** 32) | 0;
      for (const entry of hashed(damaged.table))
        if (random.below(9) === 0) words[(entry << ENTRY_SHIFT) + FLAGS] = CONN_HASHED;
      const { processes } = moved([damaged], [LINES], () => 0);
      expect(faultOf(processes[0]!), `run ${run}`).toBe('');
    }
  });
});

/** Tables of a former process: after a rebuild they are what they were, and whatever lies in the memory, they are sound. */
import { describe, expect, it } from 'vitest';
import {
  CADDR,
  CONN_HASHED,
  CONN_IPV6,
  CONN_REVERSE,
  DADDR,
  ENTRY_SHIFT,
  ENTRY_WORDS,
  EXPIRES,
  FLAGS,
  HIGH_WATER_WORD,
  LIVE_WORD,
  PORTS,
  VADDR,
} from '../../../src/conntrack/entry.js';
import { SHIFT_WORDS } from '../../../src/conntrack/seqadj.js';
import { Random } from '../../../src/dataplane/table/random.js';
import { Counters, GAUGES } from '../../../src/stats/counters.js';
import {
  copied,
  copy,
  DESTS,
  expectSound,
  faultOf,
  hashed,
  isGauge,
  LINES,
  lasting,
  memory,
  Process,
  populated,
} from '../processes.js';

/** Fuzz runs; `ULVS_RUNS=1000000` for a long one. */
const RUNS = Number(process.env.ULVS_RUNS ?? 150);

describe('a table that another process left', () => {
  it('has the same connections, timers and gauges after the rebuild', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const before = populated(new Random(seed));
      const entries = hashed(before.table);
      const kept = entries.map((entry) => lasting(before.table, entry));
      const shifts = [...before.connections.seqAdj].map(([entry, { shift }]) => [entry, shift.toClient(2 ** 30)]);
      const gauges = [...before.counters.gauges.subarray(0, DESTS * GAUGES)].filter(isGauge);
      const after = new Process(copied(before.memory), 1000);
      const rebuild = after.rebuild();
      expect(rebuild.lost).toBe(0);
      expect(hashed(after.table)).toEqual(entries);
      expect(entries.map((entry) => lasting(after.table, entry))).toEqual(kept);
      expect(after.table.live).toBe(before.table.live);
      expect(
        [...after.connections.seqAdj].map(([entry, { shift }]) => [entry, shift.toClient(2 ** 30)]).sort(),
      ).toEqual(shifts.sort());
      expect([...after.counters.gauges.subarray(0, DESTS * GAUGES)].filter(isGauge)).toEqual(gauges);
      expectSound(after);
    }
  });

  it('lets no entry through whose words were changed', () => {
    const before = populated(new Random(3));
    for (const entry of hashed(before.table)) {
      const flags = before.connections.flagsOf(entry);
      const words = [CADDR, PORTS, DADDR, ...((flags & CONN_REVERSE) === 0 ? [VADDR] : [])];
      for (const word of words) {
        const after = new Process(copied(before.memory), 1000);
        after.table.words[(entry << ENTRY_SHIFT) + word]! ^= 1 << (entry & 15);
        expect(after.rebuild().lost).toBeGreaterThan(0);
        expect(after.connections.flagsOf(entry) & CONN_HASHED).toBe(0);
      }
      if (entry > 20) break;
    }
  });

  it(`is sound whatever random words lie in it, ${RUNS} times`, { timeout: 60_000 + RUNS }, () => {
    const random = new Random(17);
    const images = Array.from({ length: 50 }, (_, i) => populated(new Random(1 + i)).memory);
    const present = memory();
    const counters = new Counters();
    for (let run = 0; run < RUNS; run++) {
      copy(images[run % 50]!, present);
      damage(new Process(present, 1000, counters), random);
      const after = new Process(present, 1000, counters);
      after.rebuild();
      const fault = faultOf(after);
      if (fault !== '') expect.fail(`run ${run}: ${fault}`);
    }
  });
});

function damage(process: Process, random: Random): void {
  const { words, seals, shifts, highWater } = process.table;
  for (let n = random.below(40); n > 0; n--)
    words[ENTRY_WORDS + random.below(highWater * ENTRY_WORDS)] = random.below(2 ** 32) | 0;
  for (let n = random.below(20); n > 0; n--)
    words[ENTRY_WORDS + random.below(highWater * ENTRY_WORDS)] = random.below(highWater + 20);
  for (let n = random.below(4); n > 0; n--) shifts[random.below(highWater * SHIFT_WORDS)] = random.below(2 ** 32) | 0;
  // As if the writer of the random words knew the secret.
  if (random.below(2) === 0)
    for (const entry of hashed(process.table)) if (isAddressable(process, entry)) process.table.seal(entry);
  seals[0] = 1;
  words[LIVE_WORD] = random.below(2 ** 32) | 0;
  if (random.below(4) === 0) words[HIGH_WATER_WORD] = random.below(2 ** 32) | 0;
}

function isAddressable({ table }: Process, entry: number): boolean {
  const line = table.words[(entry << ENTRY_SHIFT) + DADDR]!;
  return (table.words[(entry << ENTRY_SHIFT) + FLAGS]! & CONN_IPV6) === 0 || (line > 0 && line <= LINES);
}

it('the end of an entry is at most its timeout away', () => {
  const before = populated(new Random(5));
  for (const entry of hashed(before.table)) before.table.words[(entry << ENTRY_SHIFT) + EXPIRES] = 1000 + 2_000_000_000;
  const after = new Process(copied(before.memory), 1000);
  after.rebuild();
  expectSound(after);
});

/**
 * The zero points of the counters (rules/counter-base.ts) in memory that outlives the process, in
 * the rows of Counters.
 */
import type { Block } from '../../stats/block.js';
import { Counters, STATS } from '../../stats/counters.js';
import type { ZeroPoints } from '../rules/counter-base.js';

/** Zero points in a block of the size of Counters. */
export function zeroPointsIn(block: Block): ZeroPoints {
  const rows = new Counters(block);
  const rowOf = { service: rows.serviceRow, destination: rows.destinationRow, total: () => rows.totalRow };
  const at = (of: keyof typeof rowOf, slot: number) => rowOf[of].call(rows, slot);
  return {
    read: (of, slot) => [...rows.values.subarray(at(of, slot), at(of, slot) + STATS)],
    // No subarray and no set(): many new destinations are as many calls.
    write: (of, slot, counts, from = 0) => {
      const row = at(of, slot);
      for (let i = 0; i < STATS; i++) rows.values[row + i] = counts[from + i]!;
    },
  };
}

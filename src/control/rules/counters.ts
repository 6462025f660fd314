/** Interface by which the rule table reads the counters of the dataplane. */
import { STATS } from '../../stats/counters.js';
import type { StatsEntry } from '../api/api.js';

/** Gauges of a destination. */
export interface ConnectionCounts {
  activeConns: number;
  inactConns: number;
  persistConns: number;
}

/**
 * Counters by slot: counts since the first use of the slot, which never decrease, and present
 * rates.
 */
export interface CountersView {
  service(slot: number): StatsEntry;
  destination(slot: number): StatsEntry;
  connections(destinationSlot: number): ConnectionCounts;
  total(): StatsEntry;
  /** Copies the five counts, without the rates, in the order of Stat. `total` has one slot, 0. */
  copyCounts(of: CountersOf, slot: number, into: Float64Array, at: number): void;
}

export type CountersOf = 'service' | 'destination' | 'total';

/** All counts and rates at 0. */
export const NO_STATS: StatsEntry = Object.freeze({
  conns: 0,
  inpkts: 0,
  outpkts: 0,
  inbytes: 0,
  outbytes: 0,
  cps: 0,
  inpps: 0,
  outpps: 0,
  inbps: 0,
  outbps: 0,
});

/** The counters of a director without packets. */
export const noCounters: CountersView = {
  service: () => NO_STATS,
  destination: () => NO_STATS,
  connections: () => ({ activeConns: 0, inactConns: 0, persistConns: 0 }),
  total: () => NO_STATS,
  copyCounts: (_of, _slot, into, at) => void into.fill(0, at, at + STATS),
};

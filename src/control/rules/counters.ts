/** Interface by which the rule table reads the counters of the dataplane. */
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
}

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
};

import type { StatsEntry } from '../api/api.js';

/** Connections of a destination as the dataplane counts them now. */
export interface ConnectionCounts {
  activeConns: number;
  inactConns: number;
  persistConns: number;
}

/**
 * How the control side reads the dataplane's counters, by slot: totals since the slot was first used by anybody (they
 * never go back) and the estimator's rates as shown now.
 */
export interface CountersView {
  service(slot: number): StatsEntry;
  destination(slot: number): StatsEntry;
  connections(destinationSlot: number): ConnectionCounts;
  total(): StatsEntry;
}

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

/** A director that has never seen a packet. */
export const noCounters: CountersView = {
  service: () => NO_STATS,
  destination: () => NO_STATS,
  connections: () => ({ activeConns: 0, inactConns: 0, persistConns: 0 }),
  total: () => NO_STATS,
};

import type { StatsEntry } from '../api/api.js';

const TOTALS = ['conns', 'inpkts', 'outpkts', 'inbytes', 'outbytes'] as const;
type Totals = Record<(typeof TOTALS)[number], number>;

/**
 * Zero points of counters that only grow: what a slot had counted when its tenant moved in, or at the last `-Z`.
 * Shown = counted - base. Rates have no base.
 */
export class CounterBases {
  private readonly bases = new Map<number, Totals>();

  zero(slot: number, counted: StatsEntry): void {
    const { conns, inpkts, outpkts, inbytes, outbytes } = counted;
    this.bases.set(slot, { conns, inpkts, outpkts, inbytes, outbytes });
  }

  shown(slot: number, counted: StatsEntry): StatsEntry {
    const base = this.bases.get(slot);
    const entry = { ...counted };
    if (base) for (const name of TOTALS) entry[name] -= base[name];
    return entry;
  }

  forget(slot: number): void {
    this.bases.delete(slot);
  }
}

/** Counters and rates in messages of family IPVS: 32 and 64 bits (ip_vs_genl_fill_stats). */
import type { StatsEntry } from '../../control/api/api.js';
import type { AttributeWriter } from './encode.js';

/**
 * IPVS_STATS_ATTR_*, in the order of their numbers, which begin with 1. Bytes have 64 bits always.
 */
const ORDER = [
  'conns',
  'inpkts',
  'outpkts',
  'inbytes',
  'outbytes',
  'cps',
  'inpps',
  'outpps',
  'inbps',
  'outbps',
] as const satisfies (keyof StatsEntry)[];

const WIDE: ReadonlySet<string> = new Set(['inbytes', 'outbytes']);

/** `type` holds 32-bit numbers, `type64` the same with 64 bits. */
export function writeStats(to: AttributeWriter, type: number, type64: number, stats: StatsEntry): void {
  to.nest(type, () => {
    for (const [i, name] of ORDER.entries())
      if (WIDE.has(name)) to.u64(i + 1, stats[name]);
      else to.u32(i + 1, stats[name]);
  });
  to.nest(type64, () => {
    for (const [i, name] of ORDER.entries()) to.u64(i + 1, stats[name]);
  });
}

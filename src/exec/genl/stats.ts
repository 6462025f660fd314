/** Counters and rates in messages of family IPVS: 32 and 64 bits (ip_vs_genl_fill_stats). */
import type { StatsEntry } from '../../control/api/api.js';
import { nest, u32, u64 } from './encode.js';

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

/** `type` holds 32-bit numbers, `type64` the same with 64 bits. */
export function statsAttributes(type: number, type64: number, stats: StatsEntry): Uint8Array[] {
  const short = ORDER.map((name, i) => (name.endsWith('bytes') ? u64 : u32)(i + 1, stats[name]));
  return [
    nest(type, short),
    nest(
      type64,
      ORDER.map((name, i) => u64(i + 1, stats[name])),
    ),
  ];
}

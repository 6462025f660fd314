/**
 * Histogram of delays. The width of a bucket grows with the delay, so that percentiles have an
 * error of at most one part in PRECISION.
 *
 *     ns      0 … 15 | 16 … 31 | 32,33 … 62,63 | 64–67 … | …
 *     bucket  0 … 15 | 16 … 31 | 32    … 47    | 48      | …        bucket = ns >> k + PRECISION * k
 */
export const PRECISION = 16;
const DOUBLINGS = 28;
export const BUCKETS = PRECISION * (DOUBLINGS + 1);

/** Percentiles in µs; NaN if nothing was counted. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
}

/** The middle of a bucket in ns. */
export function delayOf(bucket: number): number {
  const halvings = Math.max(0, Math.floor(bucket / PRECISION) - 1);
  const least = (bucket - PRECISION * halvings) * 2 ** halvings;
  return least + (2 ** halvings - 1) / 2;
}

/** Delays in ns, and how many frames had each. */
export type Histogram = readonly (readonly [ns: number, frames: number])[];

/** The buckets that are not empty. */
export function histogramOf(counts: Float64Array): Histogram {
  return [...counts].flatMap((frames, bucket) => (frames > 0 ? [[Math.round(delayOf(bucket)), frames] as const] : []));
}

export function percentiles(counts: Float64Array): Percentiles {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const at = (part: number): number => {
    let bucket = 0;
    for (let seen = counts[0]!; seen < part * total; seen += counts[++bucket]!);
    return total === 0 ? Number.NaN : delayOf(bucket) / 1000;
  };
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999) };
}

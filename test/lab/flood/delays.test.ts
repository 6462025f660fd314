/** The histogram of delays. */
import { describe, expect, it } from 'vitest';
import { BUCKETS, delayOf, PRECISION, percentiles } from '../../../src/lab/flood/delays.js';

/** The bucket that the BPF program of the sink chooses (sink.ts). */
function bucketOf(ns: number): number {
  let [value, halvings] = [ns, 0];
  while (value >= 2 * PRECISION) [value, halvings] = [Math.floor(value / 2), halvings + 1];
  return value + PRECISION * halvings;
}

describe('delays in buckets', () => {
  it('have an error of at most one part in PRECISION', () => {
    for (const ns of [0, 1, 15, 16, 31, 32, 33, 100, 4999, 123_456, 1e9, 2 ** 32 - 1]) {
      expect(bucketOf(ns)).toBeLessThan(BUCKETS);
      expect(Math.abs(delayOf(bucketOf(ns)) - ns)).toBeLessThanOrEqual(ns / PRECISION);
    }
  });

  it('give percentiles in µs', () => {
    const counts = new Float64Array(BUCKETS);
    for (let ns = 1000; ns <= 1_000_000; ns += 1000) counts[bucketOf(ns)]!++;
    const { p50, p90, p99, p999 } = percentiles(counts);
    expect(p50 / 500).toBeCloseTo(1, 1);
    expect(p90 / 900).toBeCloseTo(1, 1);
    expect(p99 / 990).toBeCloseTo(1, 1);
    expect(p999 / 999).toBeCloseTo(1, 1);
  });

  it('give NaN if nothing was counted', () => expect(percentiles(new Float64Array(BUCKETS)).p50).toBeNaN());
});

/** The search for the highest rate without loss. */
import { describe, expect, it } from 'vitest';
import { type FloodRun, inRate } from '../../../src/lab/flood/flood.js';
import { isLossless, search } from '../../../src/lab/flood/search.js';

/** A director that forwards `forwarded` frames a second, and a generator that makes `made`. */
function through(forwarded: number, made: number) {
  return async (rate: number): Promise<FloodRun> => {
    const sent = rate === 0 ? made : Math.min(rate, made);
    const delays = { p50: 1, p90: 1, p99: 1, p999: 1 };
    return {
      rate,
      ms: 1000,
      sent,
      arrived: Math.min(sent, forwarded),
      idle: 0,
      cpu: 1,
      busy: 0,
      delays,
      histogram: [],
    };
  };
}

describe('the search for the highest rate without loss', () => {
  it.each([
    [600_000, 3_000_000],
    [1000, 3_000_000],
    [2_900_000, 3_000_000],
  ])('finds %i of %i', async (forwarded, made) => {
    const { best, runs } = await search(through(forwarded, made));
    expect(isLossless(best!)).toBe(true);
    expect(inRate(best!)).toBeGreaterThan(0.9 * forwarded);
    expect(inRate(best!)).toBeLessThan(1.002 * forwarded);
    expect(runs.length).toBeLessThanOrEqual(8);
  });

  it('ends at once if everything arrives', async () => {
    const { best, runs } = await search(through(1e6, 5e5));
    expect([inRate(best!), runs.length]).toEqual([5e5, 1]);
  });

  it('ends if nothing arrives', async () => {
    const { best, runs } = await search(through(0, 5e5));
    expect(best).toBeUndefined();
    expect(runs).toHaveLength(1);
  });
});

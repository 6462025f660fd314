import { describe, expect, it } from 'vitest';
import { inRate, type Passage } from '../../../src/lab/flood/flood.js';
import { isLossless, search } from '../../../src/lab/flood/search.js';

/** A director that forwards so much a second, and a generator that makes so much. */
function through(forwarded: number, made: number) {
  return async (rate: number): Promise<Passage> => {
    const sent = rate === 0 ? made : Math.min(rate, made);
    const delays = { p50: 1, p90: 1, p99: 1, p999: 1 };
    return { rate, ms: 1000, sent, arrived: Math.min(sent, forwarded), idle: 0, cpu: 1, delays };
  };
}

describe('the search for the highest rate without loss', () => {
  it.each([
    [600_000, 3_000_000],
    [1000, 3_000_000],
    [2_900_000, 3_000_000],
  ])('finds %i of %i', async (forwarded, made) => {
    const { best, passages } = await search(through(forwarded, made));
    expect(isLossless(best!)).toBe(true);
    expect(inRate(best!)).toBeGreaterThan(0.9 * forwarded);
    expect(inRate(best!)).toBeLessThan(1.002 * forwarded);
    expect(passages.length).toBeLessThanOrEqual(8);
  });

  it('is over at once where all that can be made passes', async () => {
    const { best, passages } = await search(through(1e6, 5e5));
    expect([inRate(best!), passages.length]).toEqual([5e5, 1]);
  });

  it('ends where nothing passes', async () => {
    const { best, passages } = await search(through(0, 5e5));
    expect(best).toBeUndefined();
    expect(passages).toHaveLength(1);
  });
});

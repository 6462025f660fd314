/** The depth of a receive queue follows pauses and overload. */
import { describe, expect, it } from 'vitest';
import { Depth } from '../../../src/device/xdp/depth.js';

const looks = (depth: Depth, waiting: readonly number[]) => {
  for (const n of waiting) depth.note(n);
  return depth.posted;
};
const times = (n: number, waiting: number) => Array.from({ length: n }, () => waiting);

/** A queue whose worker has run for a while. */
function warm(deep: number): Depth {
  const depth = new Depth(deep);
  looks(depth, times(4096, 1));
  return depth;
}

describe('Depth', () => {
  it('is deep at first, until the code of the worker is warm', () => {
    const depth = new Depth(16_384);
    expect(depth.posted).toBe(16_384);
    expect(looks(depth, [...times(100_000, 0), ...times(2000, 16_384), ...times(2095, 64)])).toBe(16_384);
    expect(looks(depth, [64])).toBe(4096);
  });

  it('is shallow until a pause fills half of it', () => {
    const depth = warm(16_384);
    expect(looks(depth, [0, 64, 300, 2047, 100, 1500])).toBe(4096);
    expect(looks(depth, [3, 2048])).toBe(16_384);
    expect(looks(depth, times(5000, 40))).toBe(16_384);
  });

  it('is deep before a pause that is known', () => {
    const depth = new Depth(16_384);
    depth.deepen();
    expect(looks(depth, times(50, 4))).toBe(16_384);
  });

  it('does not take a queue that fills slowly for a pause', () => {
    expect(looks(warm(16_384), [0, 600, 1200, 1800, 2400, 3000, 4096])).toBe(4096);
  });

  it('is shallow again where more comes than goes', () => {
    const depth = warm(16_384);
    expect(looks(depth, [0, 4096])).toBe(16_384);
    expect(looks(depth, times(1000, 16_384))).toBe(16_384);
    expect(looks(depth, [14_000, ...times(1024, 16_384)])).toBe(4096);
    expect(looks(depth, times(5000, 4096))).toBe(4096);
  });

  it('stays what it is where it is small', () => {
    expect(looks(new Depth(256), [0, 256, ...times(2000, 256), 0, 200])).toBe(256);
  });
});

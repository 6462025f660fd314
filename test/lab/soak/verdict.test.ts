import { expect, it } from 'vitest';
import type { Sample } from '../../../src/lab/soak/sample.js';
import { slope, verdictOf } from '../../../src/lab/soak/verdict.js';

const MB = 1e6;

function sample(at: number, changes: Partial<Sample> = {}): Sample {
  const times = { p50: 1, p99: 2 };
  return {
    at,
    rss: 300 * MB + (at % 7) * MB,
    heap: 50 * MB,
    external: 10 * MB,
    descriptors: 60,
    frames: { inUse: 100, waiting: 0, missing: 0 },
    unaccounted: 0,
    connections: 10,
    echo: times,
    opening: times,
    sent: 100,
    echoed: 100,
    opened: 10,
    refused: 0,
    downloads: 40,
    lost: 0,
    wrong: 0,
    rxDropped: 0,
    ...changes,
  };
}

const hour = (of: (at: number) => Partial<Sample> = () => ({})) =>
  Array.from({ length: 120 }, (_, i) => sample(30 * (i + 1), of(30 * (i + 1))));

it('finds nothing in a director that holds what it held', () => {
  expect(verdictOf([...hour(), sample(3630)]).faults).toEqual([]);
});

it.each<[string, Sample[], RegExp]>([
  ['memory that grows', [...hour((at) => ({ rss: 300 * MB + at * 1e4 })), sample(3630)], /^rssGrowth: 36 MB an hour$/],
  [
    'a heap that grows below its sawtooth',
    [...hour((at) => ({ heap: at * 1e4 + (at % 90) * MB })), sample(3630)],
    /^heapGrowth/,
  ],
  ['descriptors', [...hour(), sample(3630, { descriptors: 61 })], /^descriptors: 60 to 61$/],
  ['frames', [...hour(), sample(3630, { frames: { inUse: 9, waiting: 0, missing: 1 } })], /^1 frames are missing$/],
  ['frames that wait', [...hour(), sample(3630, { frames: { inUse: 9, waiting: 2, missing: 0 } })], /^2 frames wait/],
  [
    'sums',
    [...hour((at) => ({ unaccounted: at === 900 ? 1 : 0 })), sample(3630)],
    /^the sums of frames are wrong in 1/,
  ],
  ['a lost download', [...hour(() => ({ lost: 1 })), sample(3630)], /^1 downloads were lost$/],
  ['wrong bytes', [...hour(() => ({ wrong: 3 })), sample(3630)], /^3 bytes were wrong$/],
])('finds %s', (_, samples, sentence) => {
  expect(verdictOf(samples).faults).toEqual([expect.stringMatching(sentence)]);
});

it('the slope of a line is its own', () => {
  expect(
    slope([
      [0, 1],
      [1, 3],
      [2, 5],
    ]),
  ).toBeCloseTo(2);
});

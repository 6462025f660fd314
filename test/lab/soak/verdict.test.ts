import { expect, it } from 'vitest';
import type { Sample } from '../../../src/lab/soak/sample.js';
import { medianSlope, slope, verdictOf } from '../../../src/lab/soak/verdict.js';

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
    'memory that grows below the pages that V8 gives back now and then',
    [...hour((at) => ({ rss: 300 * MB + at * 4e3 - (at % 900 < 300 ? 40 * MB : 0) })), sample(3630)],
    /^rssGrowth: 1[345] MB an hour$/,
  ],
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

it('resident memory that is low now and then is no growth, wherever that falls', () => {
  const low = (at: number) => (at % 1110 < 60 && at < 2000 ? 40 * MB : 0);
  expect(verdictOf([...hour((at) => ({ rss: 340 * MB - low(at) })), sample(3630)]).faults).toEqual([]);
});

it('the median of slopes does not follow a point that is far off', () => {
  expect(
    medianSlope([
      [0, 1],
      [1, 3],
      [2, 500],
      [3, 7],
      [4, 9],
    ]),
  ).toBeCloseTo(2);
});

/** Pauses of the machine: what they alone make of a run, and that the kernel takes the program. */
import { expect, it } from 'vitest';
import { BUCKETS, delayOf } from '../../../src/lab/flood/delays.js';
import { Pauses, pauseRun } from '../../../src/lab/flood/pauses.js';
import { isRoot } from '../../support/netns.js';

/** Pauses of about `ms` each. */
function lengths(...all: number[]): Float64Array {
  const counts = new Float64Array(BUCKETS);
  for (const ms of all) {
    let bucket = 0;
    while (bucket < BUCKETS - 1 && delayOf(bucket + 1) <= ms * 1e6) bucket++;
    counts[bucket]!++;
  }
  return counts;
}

it('a run without a pause has no delay', () => {
  expect(pauseRun(lengths(), 2500, 1)).toEqual({ count: 0, ms: 0, longest: 0, p999: 0 });
});

it('one frame in a thousand waits for what is left of a pause', () => {
  // One part in a thousand of 2.5 s is 2.5 ms: those who wait for more than 8 − 2.5 ms.
  const { count, longest, p999 } = pauseRun(lengths(8), 2500, 1);
  expect(count).toBe(1);
  expect(longest).toBeCloseTo(8, 0);
  expect(p999 / 1000).toBeCloseTo(longest - 2.5, 1);
});

it('pauses shorter than that together delay fewer than one frame in a thousand', () => {
  expect(pauseRun(lengths(1, 1), 2500, 1).p999).toBe(0);
});

it.skipIf(!isRoot)('watches the CPUs of this machine', () => {
  const pauses = new Pauses();
  pauses.load = 0.5;
  expect(pauses.counts).toHaveLength(BUCKETS);
  pauses.close();
});

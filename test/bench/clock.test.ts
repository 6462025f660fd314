/** What frames would wait for a program that stands still at times. */
import { expect, it } from 'vitest';
import { waits } from '../../bench/support/wire/clock.js';

it('nothing waits while the program runs', () => {
  const { p50, p99, p999 } = waits([[1000, 0]], 0.5);
  expect(Math.max(p50, p99, p999)).toBeLessThan(1);
});

it('frames wait for the end of a gap, and for those that came in it', () => {
  // 1 s with a gap of 10 ms: at half load its frames, and those of the 10 ms after it, wait 10 to 0 ms.
  const { p99, p999 } = waits(
    [
      [500, 10],
      [490, 0],
    ],
    0.5,
  );
  expect(p99 / 1000).toBeCloseTo(5, 1);
  expect(p999 / 1000).toBeCloseTo(9.5, 1);
});

it('what waits adds up where the program runs too little for a while', () => {
  const slow = Array.from({ length: 100 }, (): [number, number] => [1, 4]);
  const waiting = (load: number) => waits([...slow, [5000, 0]], load).p999 / 1000;
  // 500 ms with 100 ms of running, of 5.5 s: at half load work of 232 ms came, so 132 ms wait in the end.
  expect(waiting(0.5)).toBeGreaterThan(120);
  expect(waiting(0.1)).toBeLessThan(5);
});

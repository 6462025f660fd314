/** The clock of a dataplane, and the wall clock's time that traces have. */
import { expect, it } from 'vitest';
import { monotonic, wallOrigin } from '../../../src/control/engine/clock.js';

it('a time of the dataplane plus the origin is the time of the wall clock', () => {
  const now = monotonic();
  expect(Math.abs(now + wallOrigin() - Date.now())).toBeLessThan(100);
});

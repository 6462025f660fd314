/** Tests that a decision of a scheduler allocates nothing. */
import { expect, it } from 'vitest';
import { SCHEDULER_NAMES } from '../../src/schedulers/index.js';
import { SVC_SCHED1, SVC_SCHED2 } from '../../src/service/config.js';
import { from, Stand } from './service.js';

const DECISIONS = 100_000;

/**
 * Bytes that the heap grows by for so many decisions, each for a new client. It is the least of
 * three runs, because other code uses the heap, too.
 */
function allocated(stand: Stand): number {
  const arrival = { ...from('10.0.0.1') };
  const decide = () => {
    for (let i = 0; i < DECISIONS; i++) {
      arrival.src = Math.imul(i, 0x9e3779b1);
      arrival.dst = i & 1023;
      stand.service.schedule.schedule(arrival, i);
    }
  };
  decide();
  const grown = Array.from({ length: 3 }, () => {
    const before = process.memoryUsage().heapUsed;
    decide();
    return process.memoryUsage().heapUsed - before;
  });
  return Math.min(...grown.map(Math.abs));
}

it.each(SCHEDULER_NAMES)('%s allocates nothing for a decision', (name) => {
  const stand = new Stand(name, [1, 5, 0, 3, 2]);
  stand.service.flags = SVC_SCHED1 | SVC_SCHED2;
  stand.dest('b').overloaded = true;
  stand.load('a', 2);
  stand.load('d', 1);
  // One object or boxed number for each decision would be at least 16 bytes.
  expect(allocated(stand)).toBeLessThan(DECISIONS);
});

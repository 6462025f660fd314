/** The queue of checks by due time, against a sorted list. */
import { describe, expect, it } from 'vitest';
import { DueQueue } from '../../src/health/due-queue.js';

describe('the queue of checks', () => {
  it('gives nothing before its time', () => {
    const queue = new DueQueue<string>();
    expect(queue.take(1e9)).toBeUndefined();
    queue.push('b', 20);
    queue.push('a', 10);
    expect([queue.take(9), queue.take(10), queue.take(19), queue.take(20), queue.take(99)]).toEqual([
      ...[undefined, 'a', undefined, 'b', undefined],
    ]);
  });

  it('gives the earliest first, pushed and taken in turns', () => {
    const queue = new DueQueue<number>();
    let sorted: number[] = [];
    let seed = 1;
    const random = (n: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % n;
    };
    for (let now = 0; now < 2000; now++) {
      for (let i = random(4); i > 0; i--) {
        const at = now + random(300);
        queue.push(at, at);
        sorted.push(at);
      }
      if (random(3) > 0) continue;
      const due = sorted.filter((at) => at <= now).sort((a, b) => a - b);
      sorted = sorted.filter((at) => at > now);
      const taken: number[] = [];
      for (let next = queue.take(now); next !== undefined; next = queue.take(now)) taken.push(next);
      expect(taken).toEqual(due);
    }
    expect(queue.size).toBe(sorted.length);
  });
});

import { describe, expect, it } from 'vitest';
import { ENTRY_SHIFT, ENTRY_WORDS, EXPIRES } from '../../src/conntrack/entry.js';
import { TimerWheel } from '../../src/conntrack/wheel.js';
import { Random } from '../support/seed.js';

function wheelOf(entries: number, start = 0) {
  const words = new Int32Array((entries + 1) * ENTRY_WORDS);
  const ended: number[] = [];
  const wheel = new TimerWheel(words, entries, start, (entry) => {
    ended.push(entry);
    return false;
  });
  const set = (entry: number, tick: number) => {
    words[(entry << ENTRY_SHIFT) + EXPIRES] = tick | 0;
  };
  return { words, ended, wheel, set };
}

describe('TimerWheel', () => {
  it.each([0, 1_000_000, 0x7fff_f000, -5000])('ends each entry at its tick, exactly, from tick %i on', (start) => {
    const random = new Random();
    const { ended, wheel, set } = wheelOf(3000, start);
    const due = new Map<number, number>();
    for (let entry = 1; entry <= 3000; entry++) {
      const ahead =
        random.pick([1, 255, 5000, 16_383, 16_384, 16_385, 200_000, 8_388_400, 8_388_608, 9_000_000]) +
        random.below(300);
      due.set(entry, ahead);
      set(entry, start + ahead);
      wheel.start(entry);
    }
    const order = [...new Set(due.values())].sort((a, b) => a - b);
    for (const tick of order) {
      wheel.advance((start + tick - 1) | 0, 1e9);
      expect(ended.splice(0)).toEqual([]);
      wheel.advance((start + tick) | 0, 1e9);
      expect(ended.splice(0).sort((a, b) => a - b)).toEqual(
        [...due].filter(([, at]) => at === tick).map(([entry]) => entry),
      );
    }
  });

  it('puts off what was used meanwhile, and moves what ends earlier', () => {
    const { ended, wheel, set } = wheelOf(2);
    set(1, 1000);
    set(2, 5000);
    wheel.start(1);
    wheel.start(2);
    set(1, 3000);
    wheel.moved(1);
    set(2, 40);
    wheel.moved(2);
    wheel.advance(39, 1e9);
    expect(ended).toEqual([]);
    wheel.advance(40, 1e9);
    expect(ended).toEqual([2]);
    wheel.advance(2999, 1e9);
    expect(ended).toEqual([2]);
    wheel.advance(3000, 1e9);
    expect(ended).toEqual([2, 1]);
  });

  it('forgets what was stopped, wherever it stands in its slot', () => {
    const { ended, wheel, set } = wheelOf(5);
    for (const entry of [1, 2, 3, 4, 5]) {
      set(entry, 100);
      wheel.start(entry);
    }
    for (const entry of [5, 1, 3]) wheel.stop(entry);
    wheel.advance(200, 1e9);
    expect(ended.sort()).toEqual([2, 4]);
  });

  it('looks at no more than its budget, and loses nothing by it', () => {
    const { ended, wheel, set } = wheelOf(10_000);
    for (let entry = 1; entry <= 10_000; entry++) {
      set(entry, 300);
      wheel.start(entry);
    }
    let calls = 0;
    while (ended.length < 10_000) {
      expect(wheel.advance(400, 256)).toBeLessThanOrEqual(256);
      expect(++calls).toBeLessThan(200);
    }
    expect(new Set(ended).size).toBe(10_000);
  });

  it('keeps what is not to end yet, though its time is over', () => {
    const words = new Int32Array(4 * ENTRY_WORDS);
    let asked = 0;
    const wheel = new TimerWheel(words, 3, 0, () => ++asked < 3);
    words[(1 << ENTRY_SHIFT) + EXPIRES] = 10;
    wheel.start(1);
    wheel.advance(10, 1e9);
    expect(asked).toBe(1);
    wheel.advance(1000, 1e9);
    expect(asked).toBe(3);
  });
});

/** Tests twos: the probability of each destination, and the spread of loads. */
import { describe, expect, it } from 'vitest';
import { Stand } from './service.js';

const DRAWS = 60_000;
const NAMES = 'abcde';

type Load = readonly [weight: number, active: number];

/**
 * The probabilities of ip_vs_twos.c. It draws a number 0 … W; 0 also draws the newest destination.
 * Of two drawn destinations it takes the second when that has less overhead per weight.
 */
function chances(loads: readonly Load[]): number[] {
  const list = loads.map(([weight, active], i) => ({ i, weight, load: active * 256 })).reverse();
  const able = list.filter(({ weight }) => weight > 0);
  const total = able.reduce((sum, { weight }) => sum + weight, 0) + 1;
  const drawn = able.map(({ weight }, i) => (weight + (i === 0 ? 1 : 0)) / total);
  const result = loads.map(() => 0);
  able.forEach((one, i) => {
    able.forEach((two, j) => {
      const taken = two.weight * one.load > one.weight * two.load ? two : one;
      result[taken.i]! += drawn[i]! * drawn[j]!;
    });
  });
  return result;
}

/**
 * chi-squared of the drawn and the expected counts, for at most 4 degrees of freedom: 23.5 is p =
 * 0.0001.
 */
function distance(counts: readonly number[], expected: readonly number[]): number {
  return counts.reduce((sum, n, i) => {
    const want = expected[i]! * DRAWS;
    return sum + (want === 0 ? (n === 0 ? 0 : Number.POSITIVE_INFINITY) : (n - want) ** 2 / want);
  }, 0);
}

describe('twos', () => {
  it.each<[string, readonly Load[]]>([
    [
      'idle, equal',
      [
        [1, 0],
        [1, 0],
        [1, 0],
        [1, 0],
      ],
    ],
    [
      'idle, by weight',
      [
        [1, 0],
        [2, 0],
        [3, 0],
        [0, 0],
        [4, 0],
      ],
    ],
    [
      'loaded',
      [
        [1, 5],
        [1, 1],
        [1, 3],
        [1, 0],
      ],
    ],
    [
      'loaded, by weight',
      [
        [1, 1],
        [5, 5],
        [3, 2],
        [2, 7],
      ],
    ],
    [
      'one only',
      [
        [0, 0],
        [7, 3],
      ],
    ],
  ])('%s: draws as the kernel would', (_what, loads) => {
    const stand = new Stand(
      'twos',
      loads.map(([weight]) => weight),
    );
    loads.forEach(([, active], i) => {
      stand.load(NAMES[i]!, active);
    });
    const counts = loads.map(() => 0);
    for (let i = 0; i < DRAWS; i++) counts[NAMES.indexOf(stand.choose())]!++;
    expect(distance(counts, chances(loads))).toBeLessThan(23.5);
  });

  it('leaves out the overloaded, and finds nobody when all are', () => {
    const stand = new Stand('twos', [1, 1]);
    stand.dest('a').overloaded = true;
    expect(new Set(stand.turn(200))).toEqual(new Set(['b']));
    stand.dest('b').overloaded = true;
    expect(stand.turn(2)).toBe('--');
  });

  it('keeps the fullest close to the emptiest, which one draw would not', () => {
    const stand = new Stand('twos', [1, 1, 1, 1, 1]);
    for (let i = 0; i < 5000; i++) {
      const name = stand.choose();
      stand.load(name, stand.dest(name).active + 1);
    }
    const loads = [...NAMES].map((name) => stand.dest(name).active);
    expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(8);
  });
});

/**
 * Compares the fast path with the slow path. Two directors get the same random traffic. One
 * processes it in batches by the fast path, the other frame by frame by the slow path. Their sent
 * frames, counters and tables must be equal.
 */
import { describe, expect, it } from 'vitest';
import { Random } from '../../support/seed.js';
import { CASES, type Case, checkAll, flagsAndStates, framesFor, USUAL } from './cases.js';
import { directorOf, rule } from './network.js';
import { type Left, Side } from './side.js';

const ROUNDS = 160;
/** A destination is removed and added again, so that connections lose their destination. */
async function edit({ inner }: Side, round: number): Promise<void> {
  const goes = '-d -t 10.0.0.100:80 -r 192.168.1.12:8080';
  await rule(inner, round % 80 === 39 ? goes : '-a -t 10.0.0.100:80 -r 192.168.1.12:8080 -m');
}

async function run(one: Case): Promise<void> {
  const random = new Random();
  const [fast, slow] = [new Side(await directorOf(one), true), new Side(await directorOf(one), false)];
  const sources = [...USUAL, ...(one.sources?.(random) ?? [])];
  const left: Left[] = [];
  const states = new Set<number>();
  let flags = 0;
  for (let round = 0, now = 0; round < ROUNDS; round++) {
    now += random.pick([0, 1, 10, 100, 3000]);
    const device = random.below(2);
    const frames = framesFor(random, device, sources, left);
    for (const side of [fast, slow]) side.turn(now, device, frames);
    if (round % 40 === 39) for (const side of [fast, slow]) await edit(side, round);
    expect(fast.state(), `seed ${random.seed}, round ${round}`).toEqual(slow.state());
    left.push(...fast.left);
    const seen = flagsAndStates(fast.inner.director);
    flags |= seen.flags;
    for (const state of seen.states) states.add(state);
  }
  const outcome = { d: fast.inner.director, fast: fast.fast, slow: fast.slow, left, states, flags };
  checkAll(outcome);
  one.check(outcome);
}

describe('what leaves, is counted and is remembered by the fast path is the same as by the slow path', () => {
  it.each(CASES.map((one) => [one.name, one] as const))('%s', { timeout: 240_000 }, (_, one) => run(one));
});

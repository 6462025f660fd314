/**
 * Compares the fast path with the slow path when two workers are one director. Frames arrive at
 * either worker and go to the worker that owns the client. Each worker of one pair must do the same
 * as its counterpart in the other pair.
 */
import { afterEach, expect, it } from 'vitest';
import { WorkerDispatch } from '../../../src/dataplane/workers/dispatch.js';
import { HandoffRing } from '../../../src/dataplane/workers/handoff.js';
import { FINEST } from '../../../src/dataplane/workers/steering.js';
import { Bell } from '../../../src/device/poll.js';
import { FrameStat } from '../../../src/stats/counters.js';
import { Random } from '../../support/seed.js';
import { learnAll } from '../workers/pool.js';
import { framesFor, USUAL } from './cases.js';
import { directorOf } from './network.js';
import { type Left, Side } from './side.js';

const COUNT = 2;
const ROUNDS = 120;
/** The stage that steering-key.ts uses for FTP and persistence. */
const BY_ADDRESS = { ports: false, mask4: -1, prefix6: 128 };

const bells: Bell[] = [];
afterEach(() => {
  for (const bell of bells.splice(0)) bell.close();
});

async function workers(isFast: boolean): Promise<Side[]> {
  const own = Array.from({ length: COUNT }, () => new Bell());
  bells.push(...own);
  const shared = {
    count: COUNT,
    secret: [1, 2, 3],
    rings: Array.from({ length: COUNT * COUNT }, () => HandoffRing.memory(2048)),
    asleep: new SharedArrayBuffer(4 * COUNT),
    quiet: new SharedArrayBuffer(4 * COUNT),
    bellFds: own.map(({ fd }) => fd),
  };
  const sides: Side[] = [];
  for (let index = 0; index < COUNT; index++) {
    const inner = await directorOf({});
    const dispatch = new WorkerDispatch(inner.director, { index, ...shared });
    learnAll(dispatch.steering, inner.director);
    dispatch.steering.stages = [FINEST, BY_ADDRESS];
    sides.push(new Side(inner, isFast, dispatch));
  }
  return sides;
}

/**
 * The worker `at` receives the frames. Then all workers process handed-off frames until none is
 * left.
 */
function turn(sides: readonly Side[], at: number, now: number, device: number, frames: readonly Uint8Array[]): void {
  for (const side of sides) side.tick(now);
  sides[at]!.take(device, frames);
  for (let more = 1, turns = 0; more > 0; turns++) {
    expect(turns, 'frames go round').toBeLessThan(10);
    more = sides.reduce((sum, side) => sum + side.receive(), 0);
  }
  for (const side of sides) side.finish();
}

it('two workers: what leaves, is counted and is remembered is the same', { timeout: 240_000 }, async () => {
  const random = new Random();
  const [fast, slow] = [await workers(true), await workers(false)];
  const left: Left[] = [];
  for (let round = 0, now = 0; round < ROUNDS; round++) {
    now += random.pick([0, 1, 10, 100, 3000]);
    const device = random.below(2);
    const at = random.below(COUNT);
    const frames = framesFor(random, device, USUAL, left);
    for (const sides of [fast, slow]) turn(sides, at, now, device, frames);
    const states = (sides: readonly Side[]) => sides.map((side) => side.state());
    expect(states(fast), `seed ${random.seed}, round ${round}`).toEqual(states(slow));
    for (const side of fast) left.push(...side.left);
  }
  for (const { inner, fast: taken } of fast) {
    expect(inner.director.counters.values[FrameStat.handedOff]).toBeGreaterThan(300);
    expect(taken.length, 'frames that took the fast path').toBeGreaterThan(200);
  }
});

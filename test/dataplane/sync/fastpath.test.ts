/**
 * A master of synchronisation writes the same connections, in the same order, whichever path the
 * packets take.
 */
import { expect, it } from 'vitest';
import { SyncState } from '../../../src/conntrack/sync-state.js';
import { RingMaster } from '../../../src/dataplane/sync/master.js';
import { SyncRing } from '../../../src/dataplane/sync/ring.js';
import { Random } from '../../support/seed.js';
import { CASES, framesFor, USUAL } from '../fastpath/cases.js';
import { directorOf } from '../fastpath/network.js';
import { type Left, Side } from '../fastpath/side.js';

function withMaster(side: Side): SyncRing {
  const { director } = side.inner;
  const ring = new SyncRing(SyncRing.memory(1 << 16));
  director.sysctl = { ...director.sysctl, sync_threshold: 1, sync_period: 3 };
  director.connections.sync = new SyncState(director.connections.table.maxEntries);
  director.sync = new RingMaster(director, ring, () => '', { ports: 1, sequences: false });
  return ring;
}

function drained(ring: SyncRing): string[] {
  const all: string[] = [];
  for (; ring.read(); ring.done())
    all.push(Buffer.from(ring.bytes.subarray(ring.at, ring.at + ring.size)).toString('hex'));
  return all;
}

it('both paths write the same', { timeout: 120_000 }, async () => {
  const random = new Random();
  const one = CASES[0]!;
  const sides = [new Side(await directorOf(one), true), new Side(await directorOf(one), false)] as const;
  const rings = sides.map(withMaster);
  const left: Left[] = [];
  let written = 0;
  for (let round = 0, now = 0; round < 40; round++) {
    now += random.pick([0, 1, 10, 100, 3000]);
    const device = random.below(2);
    const frames = framesFor(random, device, USUAL, left);
    for (const side of sides) side.turn(now, device, frames);
    const [fast, slow] = rings.map(drained);
    expect(fast, `seed ${random.seed}, round ${round}`).toEqual(slow);
    written += fast!.length;
    left.push(...sides[0].left);
  }
  expect(written).toBeGreaterThan(30);
  expect(sides[0].fast.length).toBeGreaterThan(100);
});

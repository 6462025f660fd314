/** Hand-off rings between workers. */
import { expect, it } from 'vitest';
import { HandoffRing } from '../../../src/dataplane/workers/handoff.js';
import { Umem } from '../../../src/device/umem.js';

it('go on where they stopped, when writer or reader is started anew', () => {
  const memory = HandoffRing.memory(2048);
  const umem = new Umem(16);
  const put = (ring: HandoffRing, byte: number) => {
    const frame = umem.put(Uint8Array.of(byte, 0, 0, 0))!;
    ring.put(umem, 1, frame, 4, 0);
    ring.publish();
    umem.free(frame);
  };
  const take = (ring: HandoffRing) => {
    const frame = ring.take(umem);
    umem.free(frame);
    return umem.u8[frame];
  };
  const writer = new HandoffRing(memory);
  const reader = new HandoffRing(memory);
  for (const byte of [1, 2, 3]) put(writer, byte);
  expect(take(reader)).toBe(1);
  const again = new HandoffRing(memory);
  expect([again.waiting, take(again), take(again)]).toEqual([2, 2, 3]);
  const other = new HandoffRing(memory);
  put(other, 4);
  expect([again.waiting, take(again), other.room]).toEqual([1, 4, 512]);
});

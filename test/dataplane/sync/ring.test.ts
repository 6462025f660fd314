/** The ring between a worker and the control thread. */
import { describe, expect, it } from 'vitest';
import { RecordKind, SyncRing } from '../../../src/dataplane/sync/ring.js';
import { Random } from '../../support/seed.js';

/** Writes a record of `size` bytes, all of them `value`. */
function write(ring: SyncRing, size: number, value: number): boolean {
  const at = ring.reserve();
  if (at < 0) return false;
  ring.bytes.fill(value, at, at + size);
  ring.commit(size, RecordKind.version1, value & 63);
  return true;
}

describe('the ring', () => {
  it('gives back what was put into it, in order, around its end many times', () => {
    const random = new Random();
    const ring = new SyncRing(SyncRing.memory(4096));
    const waiting: { size: number; value: number }[] = [];
    let written = 0;
    for (let i = 0; i < 20_000; i++) {
      const one = { size: random.between(1, 370), value: random.u8() };
      if (random.bool() && write(ring, one.size, one.value)) {
        waiting.push(one);
        written++;
      } else if (ring.read()) {
        const { size, value } = waiting.shift()!;
        expect([ring.size, ring.kind, ring.port]).toEqual([size, RecordKind.version1, value & 63]);
        expect(ring.bytes.subarray(ring.at, ring.at + size).every((byte) => byte === value)).toBe(true);
        ring.done();
      } else expect(waiting).toEqual([]);
    }
    expect(written).toBeGreaterThan(5000);
  });

  it('counts what finds no room, and takes more once something was read', () => {
    const ring = new SyncRing(SyncRing.memory(4096));
    let n = 0;
    while (write(ring, 360, n)) n++;
    expect(ring.lost).toBe(1);
    expect(ring.isRoomy).toBe(false);
    while (ring.read()) ring.done();
    expect(ring.isRoomy).toBe(true);
    expect(write(ring, 360, 1)).toBe(true);
  });
});

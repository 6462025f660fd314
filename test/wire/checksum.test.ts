/** Internet checksums, their adjustment, and CRC32c. */
import { describe, expect, it } from 'vitest';
import {
  adjust,
  delta16,
  delta32,
  finish,
  fold,
  pseudo4,
  pseudo6,
  sum,
  sum32,
  sum128,
  update16,
  update32,
} from '../../src/wire/checksum.js';
import { crc32c } from '../../src/wire/crc32c.js';
import { viewOf } from '../../src/wire/decoded.js';
import { Random, SEED } from '../support/seed.js';

/** RFC 1071's words, with numbers big enough not to care about carries. */
function slowSum(bytes: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i++) total += bytes[i]! * (i % 2 ? 1 : 256);
  while (total > 0xffff) total = Math.floor(total / 65536) + (total % 65536);
  return total;
}

describe('sum', () => {
  it("is RFC 1071's example", () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    expect(sum(viewOf(bytes), 0, 8)).toBe(0xddf2);
    expect(finish(0x2ddf0)).toBe(0x220d);
  });

  it('equals the slow sum at any offset and length', () => {
    const random = new Random();
    const bytes = random.bytes(4000);
    for (let i = 0; i < 2000; i++) {
      const off = random.below(64);
      const len = random.below(random.bool() ? 40 : 3900);
      expect(sum(viewOf(bytes), off, len), `seed ${SEED} off ${off} len ${len}`).toBe(
        slowSum(bytes.subarray(off, off + len)),
      );
    }
  });

  it('does not overflow on the largest packet, all ones', () => {
    const bytes = new Uint8Array(65535 * 2).fill(0xff);
    for (const len of [0x8000, 0x8001, 65534, 65535, 131070]) {
      expect(sum(viewOf(bytes), 0, len, 0xffff)).toBe(fold(slowSum(bytes.subarray(0, len)) + 0xffff));
    }
  });

  it('can be taken in parts of even length', () => {
    const bytes = new Random().bytes(301);
    expect(sum(viewOf(bytes), 100, 201, sum(viewOf(bytes), 0, 100))).toBe(slowSum(bytes));
  });
});

describe('pseudo headers', () => {
  it('sum their fields', () => {
    const random = new Random();
    for (let i = 0; i < 300; i++) {
      const [src, dst, len] = [random.words(4), random.words(4), random.u16()];
      const bytes = new Uint8Array(40);
      const view = viewOf(bytes);
      for (let w = 0; w < 4; w++) {
        view.setInt32(4 * w, src[w]!);
        view.setInt32(16 + 4 * w, dst[w]!);
      }
      view.setUint32(32, len);
      bytes[39] = 17;
      expect(fold(pseudo6(view, 0, 16, 17, len))).toBe(slowSum(bytes));
      expect(fold(sum128(src) + sum128(dst) + 17 + sum32(len))).toBe(slowSum(bytes));
      const four = Uint8Array.of(...bytes.subarray(0, 4), ...bytes.subarray(16, 20), 0, 17, len >> 8, len);
      expect(fold(pseudo4(src[0]!, dst[0]!, 17, len))).toBe(slowSum(four));
    }
  });
});

describe('incremental update', () => {
  /** Words full of zeros and ones, where the arithmetic of one's complement has its corners. */
  const corners = [0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000 | 0, 0xffff0000 | 0, -1];

  it('equals recomputing, bit for bit', () => {
    const random = new Random();
    for (let i = 0; i < 20000; i++) {
      const bytes = random.bool() ? random.bytes(24) : new Uint8Array(24);
      bytes[23] = 1; // A header is never all zero.
      const view = viewOf(bytes);
      const at = 2 * random.below(9);
      if (random.bool()) view.setInt32(at, random.pick(corners));
      const before = finish(sum(view, 0, 24));
      const now = random.bool() ? random.i32() : random.pick(corners);
      const [old32, old16] = [view.getInt32(at), view.getUint16(at)];
      const wide = random.bool();
      if (wide) view.setInt32(at, now);
      else view.setUint16(at, now & 0xffff);
      const updated = wide ? update32(before, old32, now) : update16(before, old16, now & 0xffff);
      expect(updated, `seed ${SEED} round ${i}`).toBe(finish(sum(view, 0, 24)));
      if (wide) expect(update32(before, old32 >>> 0, now >>> 0)).toBe(updated);
    }
  });

  it('adds up deltas', () => {
    const bytes = new Random().bytes(40);
    const view = viewOf(bytes);
    const before = finish(sum(view, 0, 40));
    const delta = delta16(view.getUint16(2), 0xbeef) + delta32(view.getInt32(8), -5) + delta32(view.getInt32(12), 7);
    view.setUint16(2, 0xbeef);
    view.setInt32(8, -5);
    view.setInt32(12, 7);
    expect(adjust(before, delta)).toBe(finish(sum(view, 0, 40)));
    expect(adjust(before, 0)).toBe(before);
  });

  it("is RFC 1624's example: 0xdd2f with 0x5555 become 0x3285 is 0, not 0xffff", () => {
    expect(update16(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });
});

describe('CRC32c', () => {
  it("knows the catalogue's check value and RFC 3720's vectors", () => {
    const of = (bytes: Uint8Array) => crc32c(viewOf(bytes), 0, bytes.length) >>> 0;
    expect(of(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(of(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(of(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(of(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  });

  it('goes on from a part, at any alignment', () => {
    const random = new Random();
    const bytes = random.bytes(300);
    const view = viewOf(bytes);
    for (let i = 0; i < 300; i++) {
      const cut = random.below(301);
      expect(crc32c(view, cut, 300 - cut, crc32c(view, 0, cut))).toBe(crc32c(view, 0, 300));
    }
  });
});

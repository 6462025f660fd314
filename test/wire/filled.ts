/** Buffers that show which bytes a function has written. */
import { viewOf } from '../../src/wire/decoded.js';

/**
 * `bytes` at `off` in a buffer that is otherwise full of 0xa5: a byte that was not written, or was
 * written outside, shows.
 */
export function filled(bytes: Uint8Array, off = 64, behind = 64): { view: DataView; u8: Uint8Array } {
  const u8 = new Uint8Array(off + bytes.length + behind).fill(0xa5);
  u8.set(bytes, off);
  return { view: viewOf(u8), u8 };
}

/** True when all bytes outside `off` to `end` are still those of `filled`. */
export function isUntouchedAround(u8: Uint8Array, off: number, end: number): boolean {
  return u8.every((byte, i) => (i >= off && i < end) || byte === 0xa5);
}

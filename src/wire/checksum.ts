/**
 * The Internet checksum (RFC 1071) and its incremental update (RFC 1624, equation 3).
 *
 *     sum ── one's complement sum of 16-bit words, read big-endian; any number below 2^31
 *     delta ─ what a change adds to a sum: ~old + new; deltas of several changes simply add up
 *     checksum ─ finish(sum): the 16 bits on the wire
 *
 *     sum(header) + sum(payload) ─ finish ─> checksum ─ adjust(delta) ─> checksum after the change
 *
 * A sum of bytes that are not all zero never folds to 0, so an adjusted checksum equals the recomputed one bit for bit.
 */

/** The largest stretch whose unfolded sum surely stays a small integer. Even, so that no word straddles two stretches. */
const STRETCH = 0x8000;

/** A sum or delta below 2^32 brought to 16 bits. */
export function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** The checksum field for a sum; over bytes that contain their checksum, 0 when they are intact. */
export function finish(sum: number): number {
  return ~fold(sum) & 0xffff;
}

/** Folded sum of `len` bytes at `off`; an odd last byte counts as if a zero followed. */
export function sum(view: DataView, off: number, len: number, initial = 0): number {
  let total = fold(initial);
  for (let at = off, left = len; left > 0; at += STRETCH, left -= STRETCH) {
    total = fold(total + stretch(view, at, at + Math.min(left, STRETCH)));
  }
  return total;
}

/** Four words a turn, and `| 0` so that V8 need not look for overflow: more than twice as fast as the plain loop. */
function stretch(view: DataView, off: number, end: number): number {
  let total = 0;
  let at = off;
  for (; at + 16 <= end; at += 16) {
    const front = sum32(view.getInt32(at)) + sum32(view.getInt32(at + 4));
    total = (total + front + sum32(view.getInt32(at + 8)) + sum32(view.getInt32(at + 12))) | 0;
  }
  for (; at + 2 <= end; at += 2) total += view.getUint16(at);
  return at < end ? total + (view.getUint8(at) << 8) : total;
}

/** Sum of a 32-bit value (signed or not), the shape addresses and sequence numbers have. */
export function sum32(value: number): number {
  return (value >>> 16) + (value & 0xffff);
}

/** Sum of an IPv6 address held as four words. */
export function sum128(words: Int32Array, at = 0): number {
  return sum32(words[at]!) + sum32(words[at + 1]!) + sum32(words[at + 2]!) + sum32(words[at + 3]!);
}

/** Sum of the IPv4 pseudo header (RFC 9293, 3.1); `len` is that of transport header and payload, in bytes. */
export function pseudo4(src: number, dst: number, protocol: number, len: number): number {
  return sum32(src) + sum32(dst) + protocol + len;
}

/** Sum of the IPv6 pseudo header (RFC 8200, 8.1); the addresses are read at `srcOff` and `dstOff`. */
export function pseudo6(view: DataView, srcOff: number, dstOff: number, protocol: number, len: number): number {
  return sum(view, srcOff, 16, sum(view, dstOff, 16)) + protocol + sum32(len);
}

export function delta16(old: number, now: number): number {
  return (~old & 0xffff) + (now & 0xffff);
}

export function delta32(old: number, now: number): number {
  return sum32(~old) + sum32(now);
}

/** The checksum after a change of the covered bytes by `delta` (0: unchanged). */
export function adjust(checksum: number, delta: number): number {
  return ~fold((~checksum & 0xffff) + delta) & 0xffff;
}

export function update16(checksum: number, old: number, now: number): number {
  return adjust(checksum, delta16(old, now));
}

/** Values signed or unsigned, in the order they have on the wire (as `getInt32` reads them). */
export function update32(checksum: number, old: number, now: number): number {
  return adjust(checksum, delta32(old, now));
}

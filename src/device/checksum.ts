/**
 * Checksums over a Umem in place, as the kernel leaves them to the hardware: sums of whole segments, and SCTP's CRC32c.
 * Sums are made of little-endian halves: the Internet checksum does not mind byte order as long as the result is stored
 * the same way (RFC 1071 section 2.B).
 */
import type { Umem } from './umem.js';

/** The unfolded sum of `len` bytes from `start`, which must be even. */
export function sum(umem: Umem, start: number, len: number): number {
  const { u16, i32 } = umem;
  let total = 0;
  let at = start;
  const end = start + len;
  if ((at & 2) !== 0 && at + 2 <= end) {
    total += u16[at >> 1]!;
    at += 2;
  }
  const words = (end - at) >> 2;
  for (let i = at >> 2, stop = i + words; i < stop; i++) {
    const word = i32[i]!;
    total += (word & 0xffff) + (word >>> 16);
  }
  at += words << 2;
  if (at + 2 <= end) {
    total += u16[at >> 1]!;
    at += 2;
  }
  return at < end ? total + umem.u8[at]! : total;
}

/** Folds to 16 bits and inverts; still little-endian halves. */
export function fold(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}

const CRC32C = new Uint32Array(256);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = (c & 1) !== 0 ? 0x82f63b78 ^ (c >>> 1) : c >>> 1;
  CRC32C[n] = c;
}

function crc32c(u8: Uint8Array, start: number, len: number): number {
  let c = -1;
  for (let i = start; i < start + len; i++) c = CRC32C[(c ^ u8[i]!) & 0xff]! ^ (c >>> 8);
  return ~c;
}

/** Of the transports with an unfinished checksum only SCTP has its own at byte 8, and it is a CRC (RFC 9260 section 6.8). */
const SCTP_CHECKSUM = 8;

/**
 * Finishes what the kernel left to the hardware (VIRTIO_NET_HDR_F_NEEDS_CSUM): the field at `start + field` holds the
 * pseudo header's sum; it becomes the checksum of the bytes from `start` to `end`. A result of 0 is written as 0xffff.
 * False when the offsets do not lie inside the frame.
 */
export function finish(umem: Umem, start: number, field: number, end: number): boolean {
  const crc = field === SCTP_CHECKSUM;
  if ((start & 1) !== 0 || (field & 1) !== 0 || start + field + (crc ? 4 : 2) > end) return false;
  const at = start + field;
  if (crc) {
    umem.view.setUint32(at, 0);
    umem.view.setInt32(at, crc32c(umem.u8, start, end - start), true);
  } else {
    umem.u16[at >> 1] = fold(sum(umem, start, end - start)) || 0xffff;
  }
  return true;
}

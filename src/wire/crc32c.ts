/**
 * CRC32c (Castagnoli; RFC 9260, appendix A), reflected, four bytes a step. It is the checksum of
 * SCTP, little endian on the wire.
 *
 *     TABLES[256 * k + b]: the effect of byte b on the CRC when k bytes follow it
 */
const POLYNOMIAL = 0x82f63b78;
const TABLES = tables();

function tables(): Int32Array {
  const t = new Int32Array(1024);
  for (let b = 0; b < 256; b++) {
    let crc = b;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    t[b] = crc;
  }
  for (let i = 256; i < 1024; i++) t[i] = (t[i - 256]! >>> 8) ^ t[t[i - 256]! & 0xff]!;
  return t;
}

/** The CRC of `len` bytes at `off`, a signed int32. `before`: the CRC of the bytes before them. */
export function crc32c(view: DataView, off: number, len: number, before = 0): number {
  let crc = ~before;
  const end = off + len;
  let at = off;
  for (; at + 4 <= end; at += 4) {
    crc ^= view.getInt32(at, true);
    crc =
      TABLES[768 + (crc & 0xff)]! ^
      TABLES[512 + ((crc >>> 8) & 0xff)]! ^
      TABLES[256 + ((crc >>> 16) & 0xff)]! ^
      TABLES[crc >>> 24]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ TABLES[(crc ^ view.getUint8(at)) & 0xff]!;
  return ~crc;
}

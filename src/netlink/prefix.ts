import { bitsOf, type Family, parseInet } from './inet.js';

/** An address with all bits behind `len` zero. */
export interface Prefix {
  readonly bytes: Uint8Array;
  readonly len: number;
}

/** `10.0.0.0/24`, `10.0.0.1` or `default`. Throws TypeError. */
export function parsePrefix(text: string, family: Family): Prefix {
  if (text === 'default') return { bytes: new Uint8Array(bitsOf(family) / 8), len: 0 };
  const [address = '', len] = text.split('/');
  const { bytes } = parseInet(address);
  return len === undefined ? { bytes, len: bytes.length * 8 } : { bytes: masked(bytes, Number(len)), len: Number(len) };
}

/** The first `len` bits; the rest zero. */
export function masked(bytes: Uint8Array, len: number): Uint8Array {
  return bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, len - i * 8))));
}

export function contains(prefix: Prefix, bytes: Uint8Array): boolean {
  return keyOf(masked(bytes, prefix.len)) === keyOf(prefix.bytes);
}

/** For maps. */
export function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

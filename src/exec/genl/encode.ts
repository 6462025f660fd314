/**
 * Attributes of answers. All integers have the host's order, ports and IPv4 masks the network's.
 */
import { encodeAttribute, encodeU32 } from '../../netlink/attribute.js';
import { HOST_LITTLE, joinAligned, viewOf } from '../../netlink/message.js';

const MASK32 = 0xffffffff;

export function u8(type: number, value: number): Uint8Array {
  return encodeAttribute(type, Uint8Array.of(value));
}

export function u16(type: number, value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  viewOf(bytes).setUint16(0, value, HOST_LITTLE);
  return encodeAttribute(type, bytes);
}

export function be16(type: number, value: number): Uint8Array {
  return encodeAttribute(type, Uint8Array.of(value >>> 8, value));
}

export function be32(type: number, value: number): Uint8Array {
  return encodeAttribute(type, Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
}

/** Counters beyond 32 bits wrap around, as the kernel's do. */
export function u32(type: number, value: number): Uint8Array {
  return encodeU32(type, wrap32(value));
}

export function u64(type: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, BigInt(Math.trunc(value)), HOST_LITTLE);
  return encodeAttribute(type, bytes);
}

/** With the final NUL. */
export function text(type: number, value: string): Uint8Array {
  return encodeAttribute(type, new TextEncoder().encode(`${value}\0`));
}

export function nest(type: number, parts: readonly Uint8Array[]): Uint8Array {
  return encodeAttribute(type, joinAligned(parts));
}

export function wrap32(value: number): number {
  return value <= MASK32 ? Math.trunc(value) >>> 0 : Number(BigInt(Math.trunc(value)) & 0xffffffffn);
}

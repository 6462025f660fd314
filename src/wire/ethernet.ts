/**
 * Ethernet II (IEEE 802.3, RFC 894).
 *
 *     0         6         12     14
 *     | dst MAC | src MAC | type | payload ...
 */
import { bytesMac, type Mac, macAt } from './address.js';
import { type Decoded, EMPTY, viewOf } from './decoded.js';

const DST = 0;
const SRC = 6;
const TYPE = 12;
export const HEADER = 14;

export const TYPE_IPV4 = 0x0800;
export const TYPE_ARP = 0x0806;
export const TYPE_VLAN = 0x8100;
export const TYPE_IPV6 = 0x86dd;
/** Service tag of IEEE 802.1ad. */
export const TYPE_QINQ = 0x88a8;

/** A MAC address is two numbers: the first 16 bits unsigned (hi), the last 32 bits signed (lo). */
export function dstHi(view: DataView, eth: number): number {
  return view.getUint16(eth + DST);
}
export function dstLo(view: DataView, eth: number): number {
  return view.getInt32(eth + DST + 2);
}
export function srcHi(view: DataView, eth: number): number {
  return view.getUint16(eth + SRC);
}
export function srcLo(view: DataView, eth: number): number {
  return view.getInt32(eth + SRC + 2);
}
export function type(view: DataView, eth: number): number {
  return view.getUint16(eth + TYPE);
}

/** True for a multicast or broadcast address. */
export function isMulticast(view: DataView, eth: number): boolean {
  return (view.getUint8(eth + DST) & 1) !== 0;
}
export function isBroadcast(view: DataView, eth: number): boolean {
  return dstHi(view, eth) === 0xffff && dstLo(view, eth) === -1;
}

export function setDst(view: DataView, eth: number, hi: number, lo: number): void {
  view.setUint16(eth + DST, hi);
  view.setInt32(eth + DST + 2, lo);
}
export function setSrc(view: DataView, eth: number, hi: number, lo: number): void {
  view.setUint16(eth + SRC, hi);
  view.setInt32(eth + SRC + 2, lo);
}
export function setType(view: DataView, eth: number, value: number): void {
  view.setUint16(eth + TYPE, value);
}

export interface Ethernet {
  dst: Mac;
  src: Mac;
  type: number;
  payload: Uint8Array;
}

export function encode({
  dst,
  src,
  type,
  payload = EMPTY,
}: Omit<Ethernet, 'payload'> & { payload?: Uint8Array }): Uint8Array {
  const bytes = new Uint8Array(HEADER + payload.length);
  bytes.set(bytesMac(dst), DST);
  bytes.set(bytesMac(src), SRC);
  setType(viewOf(bytes), 0, type);
  bytes.set(payload, HEADER);
  return bytes;
}

export function decode(bytes: Uint8Array): Decoded<Ethernet> {
  if (bytes.length < HEADER) return `Ethernet header needs 14 bytes, has ${bytes.length}`;
  const view = viewOf(bytes);
  return { dst: macAt(view, DST), src: macAt(view, SRC), type: type(view, 0), payload: bytes.subarray(HEADER) };
}

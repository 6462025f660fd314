/**
 * IPv6 (RFC 8200). Extension headers: extensions.ts.
 *
 *     0                                4             6      7           8
 *     | 6 | traffic class | flow label | payload len | next | hop limit | source (16) | destination (16) |
 *
 * `ip` is the offset of the header. Addresses are four signed int32 words. There is no header
 * checksum. A `rewrite` of an address returns the delta of the pseudo header for the transport
 * checksum (tcp.rewriteDport and similar functions take it).
 */

import { words6 } from './address.js';
import { delta32 } from './checksum.js';
import { type Decoded, EMPTY, viewOf } from './decoded.js';

const VERSION = 0;
const PAYLOAD_LEN = 4;
export const NEXT_HEADER = 6;
export const HOP_LIMIT = 7;
export const SRC = 8;
export const DST = 24;
export const HEADER = 40;

/** Next Header of ICMPv6. */
export const ICMP6 = 58;

export function version(view: DataView, ip: number): number {
  return view.getUint8(ip + VERSION) >>> 4;
}
/** DSCP and ECN, the TOS of IPv4. */
export function trafficClass(view: DataView, ip: number): number {
  return (view.getUint16(ip + VERSION) >>> 4) & 0xff;
}
export function flowLabel(view: DataView, ip: number): number {
  return view.getInt32(ip + VERSION) & 0xfffff;
}
/** Bytes behind the header, with extension headers. */
export function payloadLen(view: DataView, ip: number): number {
  return view.getUint16(ip + PAYLOAD_LEN);
}
export function nextHeader(view: DataView, ip: number): number {
  return view.getUint8(ip + NEXT_HEADER);
}
export function hopLimit(view: DataView, ip: number): number {
  return view.getUint8(ip + HOP_LIMIT);
}
/** Word `i` (0–3) of the address. */
export function srcWord(view: DataView, ip: number, i: number): number {
  return view.getInt32(ip + SRC + 4 * i);
}
export function dstWord(view: DataView, ip: number, i: number): number {
  return view.getInt32(ip + DST + 4 * i);
}
/** Copies the address to `words[at]` and the next three words. */
export function readSrc(view: DataView, ip: number, words: Int32Array, at = 0): void {
  readAddress(view, ip + SRC, words, at);
}
export function readDst(view: DataView, ip: number, words: Int32Array, at = 0): void {
  readAddress(view, ip + DST, words, at);
}
function readAddress(view: DataView, off: number, words: Int32Array, at: number): void {
  for (let i = 0; i < 4; i++) words[at + i] = view.getInt32(off + 4 * i);
}

/** Writes version 6, traffic class and flow label. */
export function setTrafficClass(view: DataView, ip: number, value: number, flow = flowLabel(view, ip)): void {
  view.setInt32(ip + VERSION, 0x6000_0000 | (value << 20) | flow);
}
export function setPayloadLen(view: DataView, ip: number, value: number): void {
  view.setUint16(ip + PAYLOAD_LEN, value);
}
export function setNextHeader(view: DataView, ip: number, value: number): void {
  view.setUint8(ip + NEXT_HEADER, value);
}
export function setHopLimit(view: DataView, ip: number, value: number): void {
  view.setUint8(ip + HOP_LIMIT, value);
}
/** The hop limit must be above 0. */
export function decrementHopLimit(view: DataView, ip: number): void {
  view.setUint8(ip + HOP_LIMIT, view.getUint8(ip + HOP_LIMIT) - 1);
}

export function rewriteSrc(view: DataView, ip: number, words: Int32Array, at = 0): number {
  return rewriteAddress(view, ip + SRC, words, at);
}
export function rewriteDst(view: DataView, ip: number, words: Int32Array, at = 0): number {
  return rewriteAddress(view, ip + DST, words, at);
}
function rewriteAddress(view: DataView, off: number, words: Int32Array, at: number): number {
  let delta = 0;
  for (let i = 0; i < 4; i++) {
    const word = words[at + i]!;
    delta += delta32(view.getInt32(off + 4 * i), word);
    view.setInt32(off + 4 * i, word);
  }
  return delta;
}

export interface Ipv6 {
  trafficClass: number;
  flowLabel: number;
  /** Bytes, as on the wire. `encode` computes it when it is absent or undefined. */
  payloadLen: number | undefined;
  nextHeader: number;
  hopLimit: number;
  src: Int32Array;
  dst: Int32Array;
  /** With extension headers. */
  payload: Uint8Array;
}

const ANY = new Int32Array(4);

export function encode(fields: Partial<Ipv6>): Uint8Array {
  const { payload = EMPTY, src = ANY, dst = ANY } = fields;
  const bytes = new Uint8Array(HEADER + payload.length);
  const view = viewOf(bytes);
  setTrafficClass(view, 0, fields.trafficClass ?? 0, fields.flowLabel ?? 0);
  setPayloadLen(view, 0, fields.payloadLen ?? payload.length);
  setNextHeader(view, 0, fields.nextHeader ?? 0);
  setHopLimit(view, 0, fields.hopLimit ?? 64);
  rewriteSrc(view, 0, src);
  rewriteDst(view, 0, dst);
  bytes.set(payload, HEADER);
  return bytes;
}

/**
 * `quoted`: the packet may end early behind its header, as in an ICMPv6 error. Bytes beyond the
 * payload are padding.
 */
export function decode(bytes: Uint8Array, quoted = false): Decoded<Ipv6> {
  if (bytes.length < HEADER) return `IPv6 header needs 40 bytes, has ${bytes.length}`;
  const view = viewOf(bytes);
  const len = payloadLen(view, 0);
  if (version(view, 0) !== 6) return `IPv6 version is ${version(view, 0)}`;
  if (HEADER + len > bytes.length && !quoted) return `IPv6 payload length ${len} of ${bytes.length - HEADER} bytes`;
  return {
    trafficClass: trafficClass(view, 0),
    flowLabel: flowLabel(view, 0),
    payloadLen: len,
    nextHeader: nextHeader(view, 0),
    hopLimit: hopLimit(view, 0),
    src: words6(view, SRC),
    dst: words6(view, DST),
    payload: bytes.subarray(HEADER, HEADER + len),
  };
}

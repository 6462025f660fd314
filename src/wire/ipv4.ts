/**
 * IPv4 (RFC 791).
 *
 *     0      1      2          4                    6               8
 *     | 4|IHL| TOS  | length   | identification     | 0 DF MF offset|
 *     | TTL  | proto| checksum | source                             |
 *     | destination            | options (0 to 40 bytes) ...        |
 *
 * `ip` is the offset of the header. Addresses are signed int32. A `rewrite` of an address adjusts
 * the header checksum, and returns the delta of the pseudo header for the transport checksum
 * (tcp.rewriteDport and similar functions take it).
 */
import { adjust, delta16, delta32, finish, sum } from './checksum.js';
import { type Decoded, EMPTY, viewOf } from './decoded.js';

const VERSION_IHL = 0;
const TOS = 1;
const TOTAL_LEN = 2;
const ID = 4;
const FRAGMENT = 6;
const TTL = 8;
const PROTOCOL = 9;
const CHECKSUM = 10;
export const SRC = 12;
export const DST = 16;
/** Length without options. */
export const HEADER = 20;

const DF = 0x4000;
const MF = 0x2000;

/** Protocol numbers (IANA), of the Protocol field and of IPv6's Next Header. */
export const ICMP = 1;
export const IPIP = 4;
export const TCP = 6;
export const UDP = 17;
export const DCCP = 33;
/** IPv6 in IPv4. */
export const IPV6 = 41;
export const GRE = 47;
export const SCTP = 132;
export const UDPLITE = 136;

export function version(view: DataView, ip: number): number {
  return view.getUint8(ip + VERSION_IHL) >>> 4;
}
/** Bytes with options: 20–60; 0–16 in a malformed packet. */
export function headerLen(view: DataView, ip: number): number {
  return (view.getUint8(ip + VERSION_IHL) & 15) << 2;
}
export function tos(view: DataView, ip: number): number {
  return view.getUint8(ip + TOS);
}
export function totalLen(view: DataView, ip: number): number {
  return view.getUint16(ip + TOTAL_LEN);
}
export function id(view: DataView, ip: number): number {
  return view.getUint16(ip + ID);
}
export function dontFragment(view: DataView, ip: number): boolean {
  return (view.getUint16(ip + FRAGMENT) & DF) !== 0;
}
export function moreFragments(view: DataView, ip: number): boolean {
  return (view.getUint16(ip + FRAGMENT) & MF) !== 0;
}
/** Bytes. */
export function fragmentOffset(view: DataView, ip: number): number {
  return (view.getUint16(ip + FRAGMENT) & 0x1fff) << 3;
}
export function isFragment(view: DataView, ip: number): boolean {
  return (view.getUint16(ip + FRAGMENT) & 0x3fff) !== 0;
}
export function ttl(view: DataView, ip: number): number {
  return view.getUint8(ip + TTL);
}
export function protocol(view: DataView, ip: number): number {
  return view.getUint8(ip + PROTOCOL);
}
export function checksum(view: DataView, ip: number): number {
  return view.getUint16(ip + CHECKSUM);
}
export function src(view: DataView, ip: number): number {
  return view.getInt32(ip + SRC);
}
export function dst(view: DataView, ip: number): number {
  return view.getInt32(ip + DST);
}
export function isChecksumGood(view: DataView, ip: number): boolean {
  return finish(sum(view, ip, headerLen(view, ip))) === 0;
}

/** Recomputes the header checksum. Call it after the `set` functions. */
export function fillChecksum(view: DataView, ip: number): void {
  view.setUint16(ip + CHECKSUM, 0);
  view.setUint16(ip + CHECKSUM, finish(sum(view, ip, headerLen(view, ip))));
}

/** The `set` functions do not change the checksum. */
export function setTotalLen(view: DataView, ip: number, value: number): void {
  view.setUint16(ip + TOTAL_LEN, value);
}
export function setId(view: DataView, ip: number, value: number): void {
  view.setUint16(ip + ID, value);
}
/** `offset`: bytes, a multiple of 8. */
export function setFragment(view: DataView, ip: number, offset: number, more: boolean, df: boolean): void {
  view.setUint16(ip + FRAGMENT, (offset >>> 3) | (more ? MF : 0) | (df ? DF : 0));
}
export function setTtl(view: DataView, ip: number, value: number): void {
  view.setUint8(ip + TTL, value);
}
export function setProtocol(view: DataView, ip: number, value: number): void {
  view.setUint8(ip + PROTOCOL, value);
}
export function setSrc(view: DataView, ip: number, address: number): void {
  view.setInt32(ip + SRC, address);
}
export function setDst(view: DataView, ip: number, address: number): void {
  view.setInt32(ip + DST, address);
}

export function rewriteSrc(view: DataView, ip: number, address: number): number {
  return rewriteAddress(view, ip, ip + SRC, address);
}
export function rewriteDst(view: DataView, ip: number, address: number): number {
  return rewriteAddress(view, ip, ip + DST, address);
}
function rewriteAddress(view: DataView, ip: number, at: number, address: number): number {
  const delta = delta32(view.getInt32(at), address);
  view.setInt32(at, address);
  fix(view, ip, delta);
  return delta;
}

/** The TTL must be above 0. */
export function decrementTtl(view: DataView, ip: number): void {
  const old = view.getUint16(ip + TTL);
  view.setUint16(ip + TTL, old - 0x100);
  fix(view, ip, delta16(old, old - 0x100));
}
/** Undoes a `decrementTtl`. */
export function incrementTtl(view: DataView, ip: number): void {
  const old = view.getUint16(ip + TTL);
  view.setUint16(ip + TTL, old + 0x100);
  fix(view, ip, delta16(old, old + 0x100));
}
export function rewriteTos(view: DataView, ip: number, value: number): void {
  rewrite16(view, ip, VERSION_IHL, (view.getUint8(ip + VERSION_IHL) << 8) | value);
}
export function rewriteTotalLen(view: DataView, ip: number, value: number): void {
  rewrite16(view, ip, TOTAL_LEN, value);
}
/** Clears or sets DF; keeps MF and the offset. */
export function rewriteDontFragment(view: DataView, ip: number, df: boolean): void {
  rewrite16(view, ip, FRAGMENT, (view.getUint16(ip + FRAGMENT) & ~DF) | (df ? DF : 0));
}
function rewrite16(view: DataView, ip: number, field: number, value: number): void {
  fix(view, ip, delta16(view.getUint16(ip + field), value));
  view.setUint16(ip + field, value);
}
function fix(view: DataView, ip: number, delta: number): void {
  view.setUint16(ip + CHECKSUM, adjust(view.getUint16(ip + CHECKSUM), delta));
}

export interface Ipv4 {
  tos: number;
  /** Bytes, as on the wire. `encode` computes it when it is absent or undefined. */
  totalLen: number | undefined;
  id: number;
  dontFragment: boolean;
  moreFragments: boolean;
  /** Bytes. */
  fragmentOffset: number;
  ttl: number;
  protocol: number;
  checksum: number | undefined;
  src: number;
  dst: number;
  /** A multiple of 4 bytes, at most 40 (options.ts). */
  options: Uint8Array;
  payload: Uint8Array;
}

const DEFAULTS: Ipv4 = {
  tos: 0,
  totalLen: undefined,
  id: 0,
  dontFragment: false,
  moreFragments: false,
  fragmentOffset: 0,
  ttl: 64,
  protocol: 0,
  checksum: undefined,
  src: 0,
  dst: 0,
  options: EMPTY,
  payload: EMPTY,
};

export function encode(fields: Partial<Ipv4>): Uint8Array {
  const f = { ...DEFAULTS, ...fields };
  const length = HEADER + f.options.length;
  const bytes = new Uint8Array(length + f.payload.length);
  const view = viewOf(bytes);
  bytes.set([0x40 | (length >>> 2), f.tos]);
  setTotalLen(view, 0, f.totalLen ?? bytes.length);
  setId(view, 0, f.id);
  setFragment(view, 0, f.fragmentOffset, f.moreFragments, f.dontFragment);
  bytes.set([f.ttl, f.protocol], TTL);
  setSrc(view, 0, f.src);
  setDst(view, 0, f.dst);
  bytes.set(f.options, HEADER);
  bytes.set(f.payload, length);
  if (f.checksum === undefined) fillChecksum(view, 0);
  else view.setUint16(CHECKSUM, f.checksum);
  return bytes;
}

/**
 * `quoted`: the packet may end early behind its header, as in an ICMP error. Bytes beyond the total
 * length are padding.
 */
export function decode(bytes: Uint8Array, quoted = false): Decoded<Ipv4> {
  const reason = whyBad(bytes, quoted);
  if (reason) return reason;
  const view = viewOf(bytes);
  return {
    tos: tos(view, 0),
    totalLen: totalLen(view, 0),
    id: id(view, 0),
    dontFragment: dontFragment(view, 0),
    moreFragments: moreFragments(view, 0),
    fragmentOffset: fragmentOffset(view, 0),
    ttl: ttl(view, 0),
    protocol: protocol(view, 0),
    checksum: checksum(view, 0),
    src: src(view, 0),
    dst: dst(view, 0),
    options: bytes.subarray(HEADER, headerLen(view, 0)),
    payload: bytes.subarray(headerLen(view, 0), totalLen(view, 0)),
  };
}

function whyBad(bytes: Uint8Array, quoted: boolean): string | undefined {
  if (bytes.length < HEADER) return `IPv4 header needs 20 bytes, has ${bytes.length}`;
  const view = viewOf(bytes);
  const header = headerLen(view, 0);
  const total = totalLen(view, 0);
  if (version(view, 0) !== 4) return `IPv4 version is ${version(view, 0)}`;
  if (header < HEADER || header > bytes.length) return `IPv4 header length ${header} of ${bytes.length} bytes`;
  if (total < header) return `IPv4 total length ${total} is below its header's ${header}`;
  if (total > bytes.length && !quoted) return `IPv4 total length ${total} of ${bytes.length} bytes`;
  return undefined;
}

/**
 * Replaces the options that are not copied into later fragments (copied flag 0, RFC 791, 3.1) by
 * NOPs, as ip_options_fragment does. `header`: bytes of the header.
 */
export function blankOptions(view: DataView, ip: number, header: number): void {
  for (let at = ip + HEADER; at < ip + header; ) {
    const kind = view.getUint8(at);
    const len = kind <= 1 ? 1 : view.getUint8(at + 1);
    if (kind === 0 || len === 0 || at + len > ip + header) break;
    if (kind > 1 && (kind & 0x80) === 0) for (let i = 0; i < len; i++) view.setUint8(at + i, 1);
    at += len;
  }
  fillChecksum(view, ip);
}

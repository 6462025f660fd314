/**
 * UDP (RFC 768).
 *
 *     0             2            4        6          8
 *     | source port | dest. port | length | checksum | payload ...
 *
 * Checksum 0 means no checksum; a `rewrite` leaves it 0. A computed checksum of 0 is written as
 * 0xffff.
 */
import { adjust, delta16, finish, sum, sum32 } from './checksum.js';
import { type Decoded, EMPTY, viewOf } from './decoded.js';

const SPORT = 0;
const DPORT = 2;
const LENGTH = 4;
const CHECKSUM = 6;
export const HEADER = 8;
const PROTOCOL = 17;

export function sport(view: DataView, l4: number): number {
  return view.getUint16(l4 + SPORT);
}
export function dport(view: DataView, l4: number): number {
  return view.getUint16(l4 + DPORT);
}
/** Bytes of header and payload, as the header says. */
export function length(view: DataView, l4: number): number {
  return view.getUint16(l4 + LENGTH);
}
export function checksum(view: DataView, l4: number): number {
  return view.getUint16(l4 + CHECKSUM);
}
/**
 * `len`: bytes of header and payload. `pseudo`: pseudo4 or pseudo6 of checksum.ts. No checksum is
 * good.
 */
export function isChecksumGood(view: DataView, l4: number, len: number, pseudo: number): boolean {
  return checksum(view, l4) === 0 || finish(sum(view, l4, len, pseudo)) === 0;
}

export function setLength(view: DataView, l4: number, value: number): void {
  view.setUint16(l4 + LENGTH, value);
}
/** Recomputes the checksum over header and payload. */
export function fillChecksum(view: DataView, l4: number, len: number, pseudo: number): void {
  view.setUint16(l4 + CHECKSUM, 0);
  view.setUint16(l4 + CHECKSUM, finish(sum(view, l4, len, pseudo)) || 0xffff);
}
/** Adjusts the checksum to a change elsewhere in the covered bytes. */
export function fix(view: DataView, l4: number, delta: number): void {
  const old = view.getUint16(l4 + CHECKSUM);
  if (old !== 0) view.setUint16(l4 + CHECKSUM, adjust(old, delta) || 0xffff);
}

/**
 * `addressDelta`: the delta that ipv4.rewriteSrc or a similar function returned; 0 if only the port
 * changes.
 */
export function rewriteSport(view: DataView, l4: number, port: number, addressDelta = 0): void {
  fix(view, l4, delta16(view.getUint16(l4 + SPORT), port) + addressDelta);
  view.setUint16(l4 + SPORT, port);
}
export function rewriteDport(view: DataView, l4: number, port: number, addressDelta = 0): void {
  fix(view, l4, delta16(view.getUint16(l4 + DPORT), port) + addressDelta);
  view.setUint16(l4 + DPORT, port);
}

export interface Udp {
  sport: number;
  dport: number;
  /** As on the wire. `encode` computes it when it is absent or undefined. */
  length: number | undefined;
  /** 0 for no checksum. */
  checksum: number | undefined;
  payload: Uint8Array;
}

/** `addresses`: sum of both IP addresses (sum32 or sum128), for the checksum. */
export function encode(fields: Partial<Udp>, addresses = 0): Uint8Array {
  const { sport = 0, dport = 0, payload = EMPTY } = fields;
  const bytes = new Uint8Array(HEADER + payload.length);
  const view = viewOf(bytes);
  view.setUint16(SPORT, sport);
  view.setUint16(DPORT, dport);
  setLength(view, 0, fields.length ?? bytes.length);
  bytes.set(payload, HEADER);
  if (fields.checksum === undefined) fillChecksum(view, 0, bytes.length, addresses + PROTOCOL + sum32(bytes.length));
  else view.setUint16(CHECKSUM, fields.checksum);
  return bytes;
}

/**
 * `quoted`: the datagram may end early behind its header, as in an ICMP error or a first fragment.
 */
export function decode(bytes: Uint8Array, quoted = false): Decoded<Udp> {
  if (bytes.length < HEADER) return `UDP header needs 8 bytes, has ${bytes.length}`;
  const view = viewOf(bytes);
  const len = length(view, 0);
  if (len < HEADER || (len > bytes.length && !quoted)) return `UDP length ${len} of ${bytes.length} bytes`;
  const payload = bytes.subarray(HEADER, len);
  return { sport: sport(view, 0), dport: dport(view, 0), length: len, checksum: checksum(view, 0), payload };
}

/**
 * ICMP (RFC 792, RFC 1191).
 *
 *     0      1      2          4                    8
 *     | type | code | checksum | rest               | payload; of an error the quoted packet ...
 *                               echo: id | sequence
 *                               3/4:  0  | next-hop MTU
 *                               5:    gateway
 */
import { adjust, delta16, finish, sum } from './checksum.js';
import { type Decoded, EMPTY, viewOf } from './decoded.js';

const TYPE = 0;
const CODE = 1;
const CHECKSUM = 2;
const REST = 4;
const MTU = 6;
export const HEADER = 8;
/** Offset of the IP packet that an error quotes. */
export const EMBEDDED = 8;

export const ECHO_REPLY = 0;
export const UNREACHABLE = 3;
export const SOURCE_QUENCH = 4;
export const REDIRECT = 5;
export const ECHO_REQUEST = 8;
export const TIME_EXCEEDED = 11;
export const PARAMETER_PROBLEM = 12;

/** Codes of UNREACHABLE. */
export const NET_UNREACHABLE = 0;
export const HOST_UNREACHABLE = 1;
export const PROTOCOL_UNREACHABLE = 2;
export const PORT_UNREACHABLE = 3;
export const FRAGMENTATION_NEEDED = 4;

export function type(view: DataView, l4: number): number {
  return view.getUint8(l4 + TYPE);
}
export function code(view: DataView, l4: number): number {
  return view.getUint8(l4 + CODE);
}
export function checksum(view: DataView, l4: number): number {
  return view.getUint16(l4 + CHECKSUM);
}
/** Next-hop MTU of fragmentation needed (3/4), in bytes; 0 from routers older than RFC 1191. */
export function mtu(view: DataView, l4: number): number {
  return view.getUint16(l4 + MTU);
}
/** `len`: bytes of header and payload. */
export function isChecksumGood(view: DataView, l4: number, len: number): boolean {
  return finish(sum(view, l4, len)) === 0;
}
/** True when messages of this type quote a packet. */
export function isError(icmpType: number): boolean {
  return (
    (icmpType >= UNREACHABLE && icmpType <= REDIRECT) || icmpType === TIME_EXCEEDED || icmpType === PARAMETER_PROBLEM
  );
}

/** Recomputes the checksum. `len`: bytes of header and payload. */
export function fillChecksum(view: DataView, l4: number, len: number): void {
  view.setUint16(l4 + CHECKSUM, 0);
  view.setUint16(l4 + CHECKSUM, finish(sum(view, l4, len)));
}
/**
 * Adjusts the checksum to a change elsewhere in the message. A change of a quoted IPv4 address by
 * ipv4.rewriteSrc needs no adjustment: the sum of the quoted header stays the same. A change of a
 * quoted port needs one.
 */
export function fix(view: DataView, l4: number, delta: number): void {
  view.setUint16(l4 + CHECKSUM, adjust(view.getUint16(l4 + CHECKSUM), delta));
}
/**
 * Changes 16 bits at offset `at`, at an even distance from the header, and the checksum: a quoted
 * port, for example.
 */
export function rewrite16(view: DataView, l4: number, at: number, value: number): void {
  fix(view, l4, delta16(view.getUint16(at), value));
  view.setUint16(at, value);
}
export function rewriteMtu(view: DataView, l4: number, value: number): void {
  rewrite16(view, l4, l4 + MTU, value);
}
/** Turns an echo request into its reply. The caller swaps the IP addresses. */
export function makeEchoReply(view: DataView, l4: number): void {
  rewrite16(view, l4, l4 + TYPE, (ECHO_REPLY << 8) | code(view, l4));
}

export interface Icmp {
  type: number;
  code: number;
  /** As on the wire. `encode` computes it when it is absent or undefined. */
  checksum: number | undefined;
  /** The four bytes behind the checksum, unsigned. */
  rest: number;
  payload: Uint8Array;
}

/** `pseudo`: sum of the pseudo header, which ICMPv6 (icmp6.ts) has; 0 for ICMP. */
export function encode(fields: Partial<Icmp>, pseudo = 0): Uint8Array {
  const { type = 0, code = 0, rest = 0, payload = EMPTY } = fields;
  const bytes = new Uint8Array(HEADER + payload.length);
  const view = viewOf(bytes);
  bytes.set([type, code]);
  view.setInt32(REST, rest);
  bytes.set(payload, HEADER);
  view.setUint16(CHECKSUM, fields.checksum ?? finish(sum(view, 0, bytes.length, pseudo)));
  return bytes;
}

export function decode(bytes: Uint8Array): Decoded<Icmp> {
  if (bytes.length < HEADER) return `ICMP header needs 8 bytes, has ${bytes.length}`;
  const view = viewOf(bytes);
  const rest = view.getUint32(REST);
  return {
    type: type(view, 0),
    code: code(view, 0),
    checksum: checksum(view, 0),
    rest,
    payload: bytes.subarray(HEADER),
  };
}

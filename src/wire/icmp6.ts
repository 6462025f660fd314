/**
 * ICMPv6 (RFC 4443). It has the layout of ICMP. Types below 128 are errors, and the checksum covers
 * the IPv6 pseudo header.
 *
 *     0      1      2          4                    8
 *     | type | code | checksum | rest               | payload; of an error the quoted packet ...
 *                               2: MTU (32 bits)
 *                               echo: id | sequence
 *
 * A change of an IP address changes the checksum, too, unlike that of ICMP: pass the delta of
 * ipv6.rewriteDst to `fix`.
 */
import { finish, sum, sum32 } from './checksum.js';
import * as icmp from './icmp.js';
import { ICMP6 } from './ipv6.js';

export { checksum, code, decode, EMBEDDED, fix, HEADER, type Icmp as Icmp6, rewrite16, type } from './icmp.js';

const TYPE = 0;
const CHECKSUM = 2;
const MTU = 4;

export const UNREACHABLE = 1;
export const PACKET_TOO_BIG = 2;
export const TIME_EXCEEDED = 3;
export const PARAMETER_PROBLEM = 4;
export const ECHO_REQUEST = 128;
export const ECHO_REPLY = 129;
export const NEIGHBOUR_SOLICITATION = 135;
export const NEIGHBOUR_ADVERTISEMENT = 136;

/** Codes of UNREACHABLE. */
export const NO_ROUTE = 0;
export const ADMIN_PROHIBITED = 1;
export const ADDRESS_UNREACHABLE = 3;
export const PORT_UNREACHABLE = 4;

/**
 * Code of PARAMETER_PROBLEM. `rest` is the offset of the byte that holds the number of the header.
 */
export const UNKNOWN_NEXT_HEADER = 1;

/** True when messages of this type quote a packet. */
export function isError(icmpType: number): boolean {
  return icmpType < ECHO_REQUEST;
}
/** MTU of packet too big, in bytes, as a signed int32. */
export function mtu(view: DataView, l4: number): number {
  return view.getInt32(l4 + MTU);
}
/** `len`: bytes of header and payload. `pseudo`: pseudo6 of checksum.ts. */
export function isChecksumGood(view: DataView, l4: number, len: number, pseudo: number): boolean {
  return finish(sum(view, l4, len, pseudo)) === 0;
}
export function fillChecksum(view: DataView, l4: number, len: number, pseudo: number): void {
  view.setUint16(l4 + CHECKSUM, 0);
  view.setUint16(l4 + CHECKSUM, finish(sum(view, l4, len, pseudo)));
}
/**
 * Turns an echo request into its reply. The caller swaps the IP addresses, which does not change
 * the checksum.
 */
export function makeEchoReply(view: DataView, l4: number): void {
  icmp.rewrite16(view, l4, l4 + TYPE, (ECHO_REPLY << 8) | icmp.code(view, l4));
}

/** `addresses`: sum of both IPv6 addresses (sum128). */
export function encode(fields: Partial<icmp.Icmp>, addresses: number): Uint8Array {
  const len = icmp.HEADER + (fields.payload?.length ?? 0);
  return icmp.encode(fields, addresses + ICMP6 + sum32(len));
}

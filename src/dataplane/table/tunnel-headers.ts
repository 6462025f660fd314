/**
 * Sizes of the headers that a tunnel puts in front of a packet, and what of them depends on a flow.
 *
 *     | outer IPv4 20 or IPv6 40 | ipip: – | gre: 4, with a checksum 8 | gue: UDP 8, GUE 4 | packet |
 */
import { type Destination, TunnelKind } from '../../service/service.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';

export const SMALLEST_MTU4 = 68;
export const SMALLEST_MTU6 = 1280;
export const GRE = 4;
const GRE_CHECKSUM = 8;
export const UDP = 8;
export const GUE = 4;

/** Bytes of all headers in front of the packet. */
export function overhead(dest: Destination): number {
  return (dest.family === 6 ? ipv6.HEADER : ipv4.HEADER) + shim(dest);
}

/** Bytes between the outer header and the packet. */
export function shim(dest: Destination): number {
  if (dest.tunnelKind === TunnelKind.gre) return dest.tunnelChecksum !== 0 ? GRE_CHECKSUM : GRE;
  return dest.tunnelKind === TunnelKind.gue ? UDP + GUE : 0;
}

/**
 * Source port of a flow, from the ephemeral range, so that routers and queues can tell flows apart.
 */
export function flowPort(addresses: number, sport: number, dport: number): number {
  const h = Math.imul(addresses ^ Math.imul((sport << 16) | dport, 0x9e3779b1), 0x85ebca77) >>> 0;
  return 32768 + (h % 28232);
}

/**
 * The TTL and MTU checks of a router, with their ICMP errors (ip_forward, ensure_mtu_is_adequate).
 */
import { CONN_ONE_PACKET } from '../../conntrack/entry.js';
import { Drop } from '../../stats/drops.js';
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import { countOut } from '../account.js';
import type { Director } from '../director.js';
import { isTranslated } from '../nat/masq.js';
import { sendIcmp4, sendIcmp6 } from '../output/icmp-error.js';
import { drop } from '../output/verdict.js';

/**
 * Decrements the TTL. Returns false when it was 1 or 0: ICMP time exceeded was sent and the packet
 * dropped. `entry`: the client's connection that the packet belongs to (the error then comes from
 * the VIP and is counted), 0 for none.
 */
export function decrementTtlOrDrop(d: Director, entry: number): boolean {
  const p = d.packet;
  if (p.crossed && entry === 0) return true;
  if (p.ttl <= 1) {
    if (p.family === 4) icmpErrorFor4(d, icmp.TIME_EXCEEDED, 0, 0, entry);
    else icmpErrorFor6(d, icmp6.TIME_EXCEEDED, 0, 0, entry);
    drop(d, Drop.ttlExceeded);
    return false;
  }
  if (p.family === 4) ipv4.decrementTtl(d.umem.view, p.l3);
  else ipv6.decrementHopLimit(d.umem.view, p.l3);
  p.ttl--;
  return true;
}

/**
 * Returns false when the packet is longer than `mtu` and must not be fragmented: the sender got an
 * ICMP error and the packet was dropped. An ICMP error that follows a connection is fragmented even
 * with DF, as in the kernel.
 */
export function fitsMtuOrDrop(d: Director, mtu: number, entry: number): boolean {
  const p = d.packet;
  if (!isTooLong(d, mtu, entry)) return true;
  if (p.family === 4) icmpErrorFor4(d, icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED, mtu, entry);
  else icmpErrorFor6(d, icmp6.PACKET_TOO_BIG, 0, mtu, entry);
  drop(d, Drop.mtuExceeded);
  return false;
}

/**
 * A reassembled packet leaves in fragments. IPv6: the longest received fragment must fit. IPv4 with
 * DF: the whole packet must fit; if it is no client's packet it is always refused (the kernel's
 * ip_fragment checks DF before sizes).
 */
function isTooLong(d: Director, mtu: number, entry: number): boolean {
  const p = d.packet;
  if (p.family === 6) return (p.parts === 0 ? p.l3len : d.assembled.largest) > mtu;
  if (!p.dontFragment || (entry !== 0 && p.protocol === ipv4.ICMP)) return false;
  return p.l3len > mtu || (p.parts !== 0 && entry === 0);
}

/** Drops a packet without a route: ICMP host unreachable. */
export function dropUnreachable(d: Director, entry: number): void {
  if (d.packet.family === 4) icmpErrorFor4(d, icmp.UNREACHABLE, icmp.HOST_UNREACHABLE, 0, entry);
  else icmpErrorFor6(d, icmp6.UNREACHABLE, icmp6.NO_ROUTE, 0, entry);
  drop(d, Drop.noRoute);
}

/**
 * As sendIcmp4; counts the error for the connection `entry` of the current packet, if it is not 0.
 */
export function icmpErrorFor4(
  d: Director,
  type: number,
  code: number,
  rest: number,
  entry: number,
  asVip = entry !== 0,
): void {
  countError(d, entry, sendIcmp4(d, type, code, rest, asVip));
}
export function icmpErrorFor6(
  d: Director,
  type: number,
  code: number,
  rest: number,
  entry: number,
  asVip = entry !== 0,
): void {
  countError(d, entry, sendIcmp6(d, type, code, rest, asVip));
}

/**
 * When the error leaves, the kernel finds the connection of the quoted packet (client to VIP) as if
 * the packet came from the destination. So it counts the error, but not for NAT, where the
 * destination has another address. Behind a new connection the kernel finds the one that it
 * replaced.
 */
function countError(d: Director, entry: number, len: number): void {
  if (len === 0 || entry === 0) return;
  if (!isTranslated(d, entry)) countOnce(d, entry, len);
  else if (d.packet.replaced !== 0 && !isTranslated(d, d.packet.replaced)) countOnce(d, d.packet.replaced, len);
}

/** A one-packet connection is not in the table, so it is not found. */
function countOnce(d: Director, entry: number, len: number): void {
  if ((d.connections.flagsOf(entry) & CONN_ONE_PACKET) === 0) countOut(d, entry, len);
}

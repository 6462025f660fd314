/** What every router does to a packet that crosses it: time to live and size, with the ICMP errors that belong to them. */
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
 * Takes one off the TTL; false when there was none to take: time exceeded was sent and the packet dropped. `entry`: the
 * client's connection that the packet belongs to (the error is then spoken by the VIP and counted), 0 for none.
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
 * False when it must not be fragmented and is longer than `mtu`: the sender was told and the packet dropped. An ICMP error
 * that follows a connection is cut whatever it wants, as in the kernel.
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
 * A reassembled packet leaves in fragments again. Of IPv6 the longest that came must fit; an IPv4 one with DF must fit as a
 * whole, and when it is no client's packet it is refused in any case (the kernel's ip_fragment sees DF before sizes).
 */
function isTooLong(d: Director, mtu: number, entry: number): boolean {
  const p = d.packet;
  if (p.family === 6) return (p.parts === 0 ? p.l3len : d.assembled.largest) > mtu;
  if (!p.dontFragment || (entry !== 0 && p.protocol === ipv4.ICMP)) return false;
  return p.l3len > mtu || (p.parts !== 0 && entry === 0);
}

/** No way to the next hop: host unreachable. */
export function dropUnreachable(d: Director, entry: number): void {
  if (d.packet.family === 4) icmpErrorFor4(d, icmp.UNREACHABLE, icmp.HOST_UNREACHABLE, 0, entry);
  else icmpErrorFor6(d, icmp6.UNREACHABLE, icmp6.NO_ROUTE, 0, entry);
  drop(d, Drop.noRoute);
}

/** As sendIcmp4, with the count of the connection `entry` that the packet at hand belongs to, if it is not 0. */
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
 * On its way out the kernel finds the connection of the packet that its own error quotes, client to VIP, as if it came
 * from the destination: so it counts, but not for NAT, where the destination would have said its own address. Behind a new
 * connection stands the one that it replaced.
 */
function countError(d: Director, entry: number, len: number): void {
  if (len === 0 || entry === 0) return;
  if (!isTranslated(d, entry)) countOnce(d, entry, len);
  else if (d.packet.replaced !== 0 && !isTranslated(d, d.packet.replaced)) countOnce(d, d.packet.replaced, len);
}

/** A one-packet connection is in no table to be found. */
function countOnce(d: Director, entry: number, len: number): void {
  if ((d.connections.flagsOf(entry) & CONN_ONE_PACKET) === 0) countOut(d, entry, len);
}

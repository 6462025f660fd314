/** What every router does to a packet that crosses it: time to live and size, with the ICMP errors that belong to them. */
import { Drop } from '../stats/drops.js';
import * as icmp from '../wire/icmp.js';
import * as icmp6 from '../wire/icmp6.js';
import * as ipv4 from '../wire/ipv4.js';
import * as ipv6 from '../wire/ipv6.js';
import type { Director } from './director.js';
import { drop } from './fate.js';
import { sendIcmp4, sendIcmp6 } from './icmperror.js';
import { countOut } from './state.js';

/**
 * Takes one off the TTL; false when there was none to take: time exceeded was sent and the packet dropped. `entry`: the
 * client's connection that the packet belongs to (the error is then spoken by the VIP and counted), 0 for none.
 */
export function hasTime(d: Director, entry: number): boolean {
  const p = d.packet;
  if (p.ttl <= 1) {
    if (p.family === 4) complain4(d, icmp.TIME_EXCEEDED, 0, 0, entry);
    else sendIcmp6(d, icmp6.TIME_EXCEEDED, 0, 0, entry !== 0);
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
export function fitsRoute(d: Director, mtu: number, entry: number): boolean {
  const p = d.packet;
  if (p.l3len <= mtu || (p.family === 4 && (!p.dontFragment || (entry !== 0 && p.protocol === ipv4.ICMP)))) return true;
  if (p.family === 4) complain4(d, icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED, mtu, entry);
  else sendIcmp6(d, icmp6.PACKET_TOO_BIG, 0, mtu, entry !== 0);
  drop(d, Drop.mtuExceeded);
  return false;
}

/** No way to the next hop: host unreachable. */
export function unreachable(d: Director, entry: number): void {
  if (d.packet.family === 4) complain4(d, icmp.UNREACHABLE, icmp.HOST_UNREACHABLE, 0, entry);
  else sendIcmp6(d, icmp6.UNREACHABLE, icmp6.NO_ROUTE, 0, entry !== 0);
  drop(d, Drop.noRoute);
}

/** An IPv4 error about a connection's packet counts as an outgoing packet of the connection (IPVS-FINDINGS). */
function complain4(d: Director, type: number, code: number, rest: number, entry: number): void {
  const len = sendIcmp4(d, type, code, rest, entry !== 0);
  if (len !== 0 && entry !== 0) countOut(d, entry, len);
}

import { Drop } from '../../stats/drops.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { PacketInfo } from './packet.js';

/** A fragment carries something, a multiple of 8 bytes but for the last, and ends within 65,535 bytes (RFC 791). */
export function badFragment(p: PacketInfo): number {
  if (p.l4len === 0 || (p.moreFragments && p.l4len % 8 !== 0)) return Drop.badFragment;
  return p.fragmentOffset + p.l4len + p.headerLen > 65535 ? Drop.badFragment : 0;
}

/** Ports, flags and types. Fragments have none to offer: the whole packet is looked at once it is reassembled. */
export function parseTransport(view: DataView, p: PacketInfo): number {
  p.sport = 0;
  p.dport = 0;
  p.tcpFlags = 0;
  p.icmpType = 0;
  p.icmpCode = 0;
  if (p.fragmentOffset !== 0 || p.moreFragments) return 0;
  const least = leastTransport(p.protocol);
  if (least === 0) return 0;
  if (p.l4len < least) return Drop.badTransport;
  if (p.protocol === ipv4.ICMP || p.protocol === ipv6.ICMP6) {
    p.icmpType = view.getUint8(p.l4);
    p.icmpCode = view.getUint8(p.l4 + 1);
    return 0;
  }
  p.sport = view.getUint16(p.l4);
  p.dport = view.getUint16(p.l4 + 2);
  if (p.protocol === ipv4.TCP) p.tcpFlags = view.getUint8(p.l4 + 13);
  return 0;
}

/** Header length of the protocols the director looks into; 0 for all others. */
function leastTransport(protocol: number): number {
  switch (protocol) {
    case ipv4.TCP:
      return 20;
    case ipv4.UDP:
    case ipv4.ICMP:
    case ipv6.ICMP6:
      return 8;
    case ipv4.SCTP:
      return 12;
    default:
      return 0;
  }
}

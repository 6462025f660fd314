/** The transport half of the parser: ports, TCP flags, ICMP types, and the checks of a fragment. */
import { Drop } from '../../stats/drops.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { PacketInfo } from './packet.js';

/**
 * Checks a fragment (RFC 791): it has data, a multiple of 8 bytes unless it is the last one, and
 * ends within 65,535 bytes. Returns a drop reason, 0 for a sound fragment.
 */
export function badFragment(p: PacketInfo): number {
  if (p.l4len === 0 || (p.moreFragments && p.l4len % 8 !== 0)) return Drop.badFragment;
  return p.fragmentOffset + p.l4len + p.headerLen > 65535 ? Drop.badFragment : 0;
}

/**
 * Reads ports, flags and types. A fragment has none here: the packet is read once it is
 * reassembled.
 */
export function parseTransport(view: DataView, p: PacketInfo): number {
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

/** Shortest transport header of a protocol that the director reads, 0 for any other protocol. */
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

/**
 * Frame -> PacketInfo. The parser checks every length once; no later code checks bounds. It returns
 * the number of a drop reason, 0 for a sound packet. Frames that are neither IP nor ARP, and tagged
 * frames, are sound with `family` 0: the director leaves them to the host.
 */
import { Drop } from '../../stats/drops.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import { parse6 } from './ipv6.js';
import type { PacketInfo } from './packet.js';
import { badFragment, parseTransport } from './transport.js';

export function parse(view: DataView, frame: number, len: number, p: PacketInfo): number {
  p.frame = frame;
  p.len = len;
  p.family = 0;
  p.mark = 0;
  p.parts = 0;
  p.crossed = false;
  p.etherType = 0;
  clearTransport(p);
  if (len < ethernet.HEADER) return Drop.truncated;
  p.l3 = frame + ethernet.HEADER;
  p.l3len = len - ethernet.HEADER;
  p.etherType = ethernet.type(view, frame);
  p.vlan = p.etherType === ethernet.TYPE_VLAN || p.etherType === ethernet.TYPE_QINQ ? 0 : -1;
  if (p.etherType === ethernet.TYPE_IPV4) return parse4(view, p);
  if (p.etherType === ethernet.TYPE_IPV6) return parse6(view, p);
  return 0;
}

/** A refused packet must not have ports of the packet before: a trace's filter reads them. */
function clearTransport(p: PacketInfo): void {
  p.moreFragments = false;
  p.fragmentOffset = 0;
  p.sport = 0;
  p.dport = 0;
  p.tcpFlags = 0;
  p.icmpType = 0;
  p.icmpCode = 0;
}

function parse4(view: DataView, p: PacketInfo): number {
  const ip = p.l3;
  if (p.l3len < ipv4.HEADER) return Drop.truncated;
  if (ipv4.version(view, ip) !== 4) return Drop.badVersion;
  p.headerLen = ipv4.headerLen(view, ip);
  if (p.headerLen < ipv4.HEADER || p.headerLen > p.l3len) return Drop.badHeaderLength;
  const total = ipv4.totalLen(view, ip);
  if (total < p.headerLen || total > p.l3len) return Drop.badTotalLength;
  if (!ipv4.isChecksumGood(view, ip)) return Drop.badHeaderChecksum;
  fill4(view, p, total);
  if (isMartian(p.src)) return Drop.badSource;
  const bad = fragment4(view, p);
  return bad !== 0 ? bad : parseTransport(view, p);
}

function fill4(view: DataView, p: PacketInfo, total: number): void {
  const ip = p.l3;
  // Ethernet pads short frames. The padding is not forwarded.
  p.l3len = total;
  p.len = total + ethernet.HEADER;
  p.family = 4;
  p.tos = ipv4.tos(view, ip);
  p.ttl = ipv4.ttl(view, ip);
  p.protocol = ipv4.protocol(view, ip);
  p.dontFragment = ipv4.dontFragment(view, ip);
  p.src = ipv4.src(view, ip);
  p.dst = ipv4.dst(view, ip);
  p.l4 = ip + p.headerLen;
  p.l4len = total - p.headerLen;
}

function fragment4(view: DataView, p: PacketInfo): number {
  p.moreFragments = ipv4.moreFragments(view, p.l3);
  p.fragmentOffset = ipv4.fragmentOffset(view, p.l3);
  return p.moreFragments || p.fragmentOffset !== 0 ? badFragment(p) : 0;
}

/**
 * Addresses that no host may send from (RFC 1122, 3.2.1.3): this network, loopback, multicast and
 * above.
 */
function isMartian(src: number): boolean {
  const first = src >>> 24;
  return first === 127 || first >= 224 || (first === 0 && src !== 0);
}

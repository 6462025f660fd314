/** The IPv6 half of the parser. */
import { Drop } from '../../stats/drops.js';
import * as extensions from '../../wire/extensions.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { PacketInfo } from './packet.js';
import { badFragment, parseTransport } from './transport.js';

const chain = new extensions.Chain();

/**
 * Walks the extension headers to the transport header and notes a fragment header. Returns the
 * number of a drop reason, 0 for a sound packet.
 */
export function parse6(view: DataView, p: PacketInfo): number {
  const ip = p.l3;
  if (p.l3len < ipv6.HEADER) return Drop.truncated;
  if (ipv6.version(view, ip) !== 6) return Drop.badVersion;
  const total = ipv6.HEADER + ipv6.payloadLen(view, ip);
  if (total > p.l3len) return Drop.badTotalLength;
  if (!extensions.walk(view, ip, ip + total, chain)) return Drop.badExtension;
  fill6(view, p, total);
  if (p.src6[0]! >>> 24 === 0xff) return Drop.badSource;
  p.moreFragments = chain.moreFragments;
  p.fragmentOffset = chain.fragmentOffset;
  const bad = p.moreFragments || p.fragmentOffset !== 0 ? badFragment(p) : 0;
  return bad !== 0 ? bad : parseTransport(view, p);
}

function fill6(view: DataView, p: PacketInfo, total: number): void {
  const ip = p.l3;
  p.len -= p.l3len - total;
  p.l3len = total;
  p.family = 6;
  p.tos = ipv6.trafficClass(view, ip);
  p.ttl = ipv6.hopLimit(view, ip);
  p.protocol = chain.protocol;
  p.dontFragment = false;
  ipv6.readSrc(view, ip, p.src6);
  ipv6.readDst(view, ip, p.dst6);
  p.l4 = chain.offset;
  p.headerLen = chain.offset - ip;
  p.l4len = total - p.headerLen;
}

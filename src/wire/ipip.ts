/**
 * IP in IP (RFC 2003, RFC 2473, RFC 4213): writes an outer header into the headroom before a
 * packet.
 *
 *     | ... headroom ... | inner header | payload       (before)
 *           | outer, 20 or 40 | inner header | payload  (after; the result is the outer header's offset)
 *
 * The outer header is that of ip_vs_tunnel_xmit: the TTL is that of the inner header, the TOS
 * follows the ECN rule of RFC 3168 (9.1.1), DF is that of an inner IPv4 header.
 */
import * as ipv4 from './ipv4.js';
import * as ipv6 from './ipv6.js';

const ECN = 3;
const CE = 3;
const ECT0 = 2;

/** TOS of the outer header: ECN is that of the inner header, but CE becomes ECT(0). */
export function outerTos(inner: number): number {
  return (inner & ECN) === CE ? (inner & ~ECN) | ECT0 : inner;
}

/**
 * Writes an IPv4 header before the packet at `inner`, which is IPv4 or IPv6. `len`: bytes of the
 * inner packet. `copyDf` false leaves DF clear. Returns the offset of the outer header.
 */
export function encapsulate4(
  view: DataView,
  inner: number,
  len: number,
  src: number,
  dst: number,
  id: number,
  copyDf: boolean,
): number {
  const outer = inner - ipv4.HEADER;
  const is4 = ipv4.version(view, inner) === 4;
  view.setUint16(outer, 0x4500 | outerTos(tosOf(view, inner, is4)));
  ipv4.setTotalLen(view, outer, len + ipv4.HEADER);
  ipv4.setId(view, outer, id);
  ipv4.setFragment(view, outer, 0, false, copyDf && is4 && ipv4.dontFragment(view, inner));
  ipv4.setTtl(view, outer, ttlOf(view, inner, is4));
  ipv4.setProtocol(view, outer, is4 ? ipv4.IPIP : ipv4.IPV6);
  ipv4.setSrc(view, outer, src);
  ipv4.setDst(view, outer, dst);
  ipv4.fillChecksum(view, outer);
  return outer;
}

/** The same with an IPv6 header. `src` and `dst`: four words each. */
export function encapsulate6(view: DataView, inner: number, len: number, src: Int32Array, dst: Int32Array): number {
  const outer = inner - ipv6.HEADER;
  const is4 = ipv4.version(view, inner) === 4;
  ipv6.setTrafficClass(view, outer, outerTos(tosOf(view, inner, is4)), 0);
  ipv6.setPayloadLen(view, outer, len);
  ipv6.setNextHeader(view, outer, is4 ? ipv4.IPIP : ipv4.IPV6);
  ipv6.setHopLimit(view, outer, ttlOf(view, inner, is4));
  ipv6.rewriteSrc(view, outer, src);
  ipv6.rewriteDst(view, outer, dst);
  return outer;
}

function tosOf(view: DataView, inner: number, is4: boolean): number {
  return is4 ? ipv4.tos(view, inner) : ipv6.trafficClass(view, inner);
}
function ttlOf(view: DataView, inner: number, is4: boolean): number {
  return is4 ? ipv4.ttl(view, inner) : ipv6.hopLimit(view, inner);
}

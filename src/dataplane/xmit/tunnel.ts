/**
 * LVS-Tun (ip_vs_tunnel_xmit): puts an outer header into the headroom in front of the packet.
 *
 *      ipip   | outer 4 or 6                     | packet |      protocol 4 (inner IPv4) or 41 (inner IPv6)
 *      gre    | outer | flags type (checksum 0)  | packet |      protocol 47
 *      gue    | outer | UDP | version type flags | packet |      UDP to the tunnel port, GUE version 0
 *
 * Outer TTL: the inner TTL after the decrement. TOS: copied by RFC 3168's rule for "congestion
 * experienced". DF: copied from an IPv4 packet while sysctl pmtu_disc is on. Outer id: 0 with DF
 * (docs/ipvs-reference.md section 10, docs/ipvs-findings.md).
 */
import { type Destination, TunnelKind } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import { finish, pseudo4, pseudo6, sum } from '../../wire/checksum.js';
import * as ethernet from '../../wire/ethernet.js';
import { outerTos } from '../../wire/ipip.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { deliverLocal } from '../host/local.js';
import { ipOutput } from '../output/ip-output.js';
import { drop } from '../output/verdict.js';
import { LOCAL_ROUTE } from '../table/routes.js';
import { flowPort, GUE, overhead, SMALLEST_MTU4, SMALLEST_MTU6, shim, UDP } from '../table/tunnel-headers.js';
import { pathMtu, routeForward, usableOrDrop } from './next-hop.js';
import { decrementTtlOrDrop, fitsMtuOrDrop } from './ttl-mtu.js';

export function xmitTunnel(d: Director, entry: number): FinalVerdict {
  const dest = d.connections.destOf(entry);
  if (dest === undefined) return drop(d, Drop.destinationRemoved);
  const hop = usableOrDrop(d, routeForward(d, entry), entry);
  if (hop === LOCAL_ROUTE) return deliverLocal(d);
  if (hop < 0) return Verdict.dropped;
  return tunnelTo(d, dest, hop, entry, pathMtu(d, dest));
}

/** Sends the packet through the tunnel to `dest`, by its route. `entry`: 0 for a health check. */
export function tunnelTo(d: Director, dest: Destination, hop: number, entry: number, mtu: number): FinalVerdict {
  const inside = mtu - overhead(dest);
  if (inside < (d.packet.family === 6 ? SMALLEST_MTU6 : SMALLEST_MTU4)) return drop(d, Drop.tunnelMtu);
  if (!decrementTtlOrDrop(d, entry)) return Verdict.dropped;
  const cuttable = d.packet.family === 4 && d.sysctl.pmtu_disc === 0;
  if (!cuttable && !fitsMtuOrDrop(d, inside, entry)) return Verdict.dropped;
  if (!encapsulate(d, dest, hop)) return drop(d, Drop.noRoute);
  return ipOutput(d, hop, mtu);
}

/**
 * Writes the outer header and moves `p.l3` to it. Returns false when the device has no source
 * address.
 */
function encapsulate(d: Director, dest: Destination, hop: number): boolean {
  const p = d.packet;
  const tos = outerTos(p.tos);
  const df = p.family === 4 && p.dontFragment && d.sysctl.pmtu_disc !== 0;
  const inner = p.family === 4 ? ipv4.IPIP : ipv4.IPV6;
  const protocol = writeShim(d, dest, inner);
  const written = dest.family === 4 ? outer4(d, dest, hop, protocol, tos, df) : outer6(d, dest, hop, protocol, tos);
  if (written && dest.tunnelKind === TunnelKind.gue && dest.tunnelChecksum !== 0) sumUdp(d, dest);
  return written;
}

function outer4(d: Director, dest: Destination, hop: number, protocol: number, tos: number, df: boolean): boolean {
  const p = d.packet;
  const { view } = d.umem;
  const source = d.router.source || (linkOf(d, hop).address(4)?.words[3] ?? 0);
  if (source === 0) return false;
  const ip = grow(d, ipv4.HEADER);
  view.setUint16(ip, 0x4500 | tos);
  ipv4.setTotalLen(view, ip, p.l3len);
  ipv4.setId(view, ip, df ? 0 : d.nextIdent());
  ipv4.setFragment(view, ip, 0, false, df);
  ipv4.setTtl(view, ip, p.ttl);
  ipv4.setProtocol(view, ip, protocol);
  ipv4.setSrc(view, ip, source);
  ipv4.setDst(view, ip, dest.address);
  ipv4.fillChecksum(view, ip);
  p.etherType = ethernet.TYPE_IPV4;
  return true;
}

function outer6(d: Director, dest: Destination, hop: number, protocol: number, tos: number): boolean {
  const p = d.packet;
  const { view } = d.umem;
  const source = d.router.source6 ?? linkOf(d, hop).address(6)?.words;
  if (source === undefined) return false;
  const inner = p.l3len;
  const ip = grow(d, ipv6.HEADER);
  ipv6.setTrafficClass(view, ip, tos, 0);
  ipv6.setPayloadLen(view, ip, inner);
  ipv6.setNextHeader(view, ip, protocol);
  ipv6.setHopLimit(view, ip, p.ttl);
  ipv6.rewriteSrc(view, ip, source);
  ipv6.rewriteDst(view, ip, dest.address6);
  p.etherType = ethernet.TYPE_IPV6;
  return true;
}

/** Writes the header between outer header and packet. Returns the outer header's protocol. */
function writeShim(d: Director, dest: Destination, inner: number): number {
  if (dest.tunnelKind === TunnelKind.gre) return writeGre(d, dest);
  if (dest.tunnelKind === TunnelKind.gue) return writeGue(d, dest, inner);
  return inner;
}

function writeGre(d: Director, dest: Destination): number {
  const { view } = d.umem;
  const type = d.packet.family === 4 ? ethernet.TYPE_IPV4 : ethernet.TYPE_IPV6;
  const at = grow(d, shim(dest));
  view.setUint16(at, dest.tunnelChecksum !== 0 ? 0x8000 : 0);
  view.setUint16(at + 2, type);
  if (dest.tunnelChecksum === 0) return ipv4.GRE;
  view.setInt32(at + 4, 0);
  view.setUint16(at + 4, finish(sum(view, at, d.packet.l3len)));
  return ipv4.GRE;
}

function writeGue(d: Director, dest: Destination, inner: number): number {
  const { view } = d.umem;
  const p = d.packet;
  const gue = grow(d, GUE);
  view.setInt32(gue, inner << 16);
  const at = grow(d, UDP);
  view.setUint16(at, flowPort(p.family === 4 ? p.src ^ p.dst : p.src6[3]! ^ p.dst6[3]!, p.sport, p.dport));
  view.setUint16(at + 2, dest.tunnelPort);
  view.setUint16(at + 4, p.l3len);
  view.setUint16(at + 6, 0);
  return ipv4.UDP;
}

function sumUdp(d: Director, dest: Destination): void {
  const { view } = d.umem;
  const ip = d.packet.l3;
  const l4 = ip + (dest.family === 6 ? ipv6.HEADER : ipv4.HEADER);
  const len = view.getUint16(l4 + 4);
  const pseudo =
    dest.family === 6
      ? pseudo6(view, ip + ipv6.SRC, ip + ipv6.DST, ipv4.UDP, len)
      : pseudo4(ipv4.src(view, ip), ipv4.dst(view, ip), ipv4.UDP, len);
  view.setUint16(l4 + 6, finish(sum(view, l4, len, pseudo)) || 0xffff);
}

/** Makes room for `n` more bytes in front of the packet. Returns their offset. */
function grow(d: Director, n: number): number {
  d.packet.l3 -= n;
  d.packet.l3len += n;
  return d.packet.l3;
}

function linkOf(d: Director, hop: number) {
  return d.links[d.neighbours.all[hop]!.device]!;
}

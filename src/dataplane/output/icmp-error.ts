/**
 * ICMP errors of the director, in the kernel's form (icmp_send; docs/ipvs-findings.md). Source: the
 * packet's destination when it is ours (the VIP), else the address of the device towards the
 * sender. TTL 64, no DF, TOS 0xc0 plus the packet's TOS bits. IPv4 quotes what fits in 576 bytes,
 * IPv6 in 1280.
 *
 *      | Ethernet | IP: VIP -> sender | ICMP type code checksum rest | quoted packet ... |
 */
import { finish, pseudo6, sum } from '../../wire/checksum.js';
import * as ethernet from '../../wire/ethernet.js';
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { neighbourOutput } from './neighbour-output.js';

const QUOTE4 = 576 - ipv4.HEADER - icmp.HEADER;
const QUOTE6 = 1280 - ipv6.HEADER - icmp.HEADER;
const TTL = 64;
/**
 * IPTOS_TOS_MASK: the four TOS bits that an error copies. Its precedence is "internetwork control".
 */
const TOS_MASK = 0x1e;
const TOS_CONTROL = 0xc0;

/**
 * Sends an error about the current packet, which stays with the caller. `rest`: the four bytes
 * behind the checksum (an MTU). `asVip`: the source is the packet's destination even if no
 * interface has it. Returns the length of the IP packet sent, 0 for none (no route, rate limit, an
 * error about an error).
 */
export function sendIcmp4(d: Director, type: number, code: number, rest: number, asVip: boolean): number {
  const p = d.packet;
  if ((asVip && isMute4(d)) || !mayComplain4(d, type, code)) return 0;
  const speaksAsVip = asVip || d.isLocal4(p.dst);
  const hop = d.router.lookup4(p.src, speaksAsVip ? p.dst : 0, 0);
  if (hop < 0) return 0;
  const source = speaksAsVip ? p.dst : d.router.source || linkAddress4(d, hop);
  const frame = source === 0 ? -1 : d.umem.alloc();
  if (frame < 0) return 0;
  const len = write4(d, frame + ethernet.HEADER, source, type, code, rest);
  neighbourOutput(d, hop, frame, len + ethernet.HEADER, ethernet.TYPE_IPV4, true);
  return len;
}

/** accept.icmp is off: as in the kernel, no error comes from an address that no interface has. */
function isMute4(d: Director): boolean {
  if (d.acceptIcmp) return false;
  const { dst } = d.packet;
  return d.own.find(0, 0, 0, dst, 0, 4) < 0 && !d.services.isVip4(dst);
}

/**
 * RFC 1122, 3.2.2: no error about an ICMP error, a later fragment, or a broadcast or multicast
 * packet.
 */
function mayComplain4(d: Director, type: number, code: number): boolean {
  const p = d.packet;
  if (p.protocol === ipv4.ICMP && p.fragmentOffset === 0 && icmp.isError(p.icmpType)) return false;
  if (p.fragmentOffset !== 0 || p.src === 0 || p.dst >>> 28 === 0xe || p.dst === -1) return false;
  if (type === icmp.UNREACHABLE && code === icmp.FRAGMENTATION_NEEDED) return true;
  return d.icmpLimits.take(p.src, d.now);
}

function linkAddress4(d: Director, hop: number): number {
  return d.links[d.neighbours.all[hop]!.device]!.address(4)?.words[3] ?? 0;
}

function write4(d: Director, ip: number, source: number, type: number, code: number, rest: number): number {
  const p = d.packet;
  const { view, u8 } = d.umem;
  const quoted = Math.min(p.l3len, QUOTE4);
  const len = ipv4.HEADER + icmp.HEADER + quoted;
  const l4 = ip + ipv4.HEADER;
  view.setUint16(ip, 0x4500 | TOS_CONTROL | (p.tos & TOS_MASK));
  ipv4.setTotalLen(view, ip, len);
  ipv4.setId(view, ip, d.nextIdent());
  ipv4.setFragment(view, ip, 0, false, false);
  ipv4.setTtl(view, ip, TTL);
  ipv4.setProtocol(view, ip, ipv4.ICMP);
  ipv4.setSrc(view, ip, source);
  ipv4.setDst(view, ip, p.src);
  ipv4.fillChecksum(view, ip);
  view.setUint16(l4, (type << 8) | code);
  view.setInt32(l4 + 4, rest);
  u8.copyWithin(l4 + icmp.EMBEDDED, p.l3, p.l3 + quoted);
  icmp.fillChecksum(view, l4, len - ipv4.HEADER);
  return len;
}

/** As sendIcmp4, for IPv6. */
export function sendIcmp6(d: Director, type: number, code: number, rest: number, asVip: boolean): number {
  const p = d.packet;
  if (!mayComplain6(d)) return 0;
  const speaksAsVip = (asVip || d.isLocal6(p.dst6)) && !isMerelyAccepted(d, p.dst6);
  const hop = d.router.lookup6(p.src6, speaksAsVip ? p.dst6 : ANY6, 0);
  if (hop < 0 || !mayRepeat6(d, type, asVip)) return 0;
  const source = speaksAsVip ? p.dst6 : (d.router.source6 ?? linkAddress6(d, hop));
  const frame = source === undefined ? -1 : d.umem.alloc();
  if (source === undefined || frame < 0) return 0;
  const len = write6(d, frame + ethernet.HEADER, source, type, code, rest);
  neighbourOutput(d, hop, frame, len + ethernet.HEADER, ethernet.TYPE_IPV6, true);
  return len;
}

const ANY6 = new Int32Array(4);

/**
 * An address of accept.ranges that nobody has: the kernel's errors about it come from an address of
 * the director.
 */
function isMerelyAccepted(d: Director, a: Int32Array): boolean {
  const had = d.own.find(a[0]!, a[1]!, a[2]!, a[3]!, 0, 6) >= 0 || d.services.isVip6(a);
  return d.ranges.length !== 0 && !had && d.isLocal6(a);
}

function mayComplain6(d: Director): boolean {
  const p = d.packet;
  if (p.protocol === ipv6.ICMP6 && icmp6.isError(p.icmpType)) return false;
  const unspecified = (p.src6[0]! | p.src6[1]! | p.src6[2]! | p.src6[3]!) === 0;
  return !unspecified && p.dst6[0]! >>> 24 !== 0xff;
}

/**
 * Takes a token by the route that was just looked up. Time exceeded for a connection's packet needs
 * none: the kernel sees the loopback device as its output.
 */
function mayRepeat6(d: Director, type: number, asVip: boolean): boolean {
  if (type === icmp6.PACKET_TOO_BIG || (asVip && type === icmp6.TIME_EXCEEDED)) return true;
  const { src6 } = d.packet;
  return d.icmpLimits.take6(src6[0]! ^ src6[1]! ^ src6[2]! ^ src6[3]!, d.now, d.router.length6);
}

function linkAddress6(d: Director, hop: number): Int32Array | undefined {
  return d.links[d.neighbours.all[hop]!.device]!.address(6)?.words;
}

function write6(d: Director, ip: number, source: Int32Array, type: number, code: number, rest: number): number {
  const p = d.packet;
  const { view, u8 } = d.umem;
  const quoted = Math.min(p.l3len, QUOTE6);
  const l4len = icmp.HEADER + quoted;
  const l4 = ip + ipv6.HEADER;
  ipv6.setTrafficClass(view, ip, 0, 0);
  ipv6.setPayloadLen(view, ip, l4len);
  ipv6.setNextHeader(view, ip, ipv6.ICMP6);
  ipv6.setHopLimit(view, ip, TTL);
  ipv6.rewriteSrc(view, ip, source);
  ipv6.rewriteDst(view, ip, p.src6);
  view.setUint16(l4, (type << 8) | code);
  view.setUint16(l4 + 2, 0);
  view.setInt32(l4 + 4, rest);
  u8.copyWithin(l4 + icmp.EMBEDDED, p.l3, p.l3 + quoted);
  view.setUint16(l4 + 2, finish(sum(view, l4, l4len, pseudo6(view, ip + ipv6.SRC, ip + ipv6.DST, ipv6.ICMP6, l4len))));
  return ipv6.HEADER + l4len;
}

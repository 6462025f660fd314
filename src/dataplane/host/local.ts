/**
 * Packets for the director's own machine. Where the host's stack shares the device, it has seen
 * them and handles them. Where only the director has an address (a TAP device, a VIP that no
 * interface has), the director acts as a small host: it answers pings, refuses TCP by RST, UDP by
 * port unreachable and other protocols (SCTP) by protocol unreachable.
 */
import { FrameStat } from '../../stats/counters.js';
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import { pseudo4, pseudo6 } from '../../wire/checksum.js';
import * as ethernet from '../../wire/ethernet.js';
import * as extensions from '../../wire/extensions.js';
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import * as tcp from '../../wire/tcp.js';
import * as udp from '../../wire/udp.js';
import type { Director } from '../director.js';
import { sendIcmp4, sendIcmp6 } from '../output/icmp-error.js';
import { enqueue, neighbourOutput } from '../output/neighbour-output.js';
import { answerRefragmented, deliverRefragmented } from '../output/refragment.js';
import { deliver, drop } from '../output/verdict.js';
import { pass } from './pass.js';
import { reset } from './tcp-reset.js';

const IGMP = 2;

/** Handles a packet to one of our addresses without service or connection. */
export function handleLocal(d: Director): FinalVerdict {
  const p = d.packet;
  if (d.links[p.device]!.shared && isOwn(d)) return pass(d);
  if (p.fragmentOffset !== 0 || p.moreFragments) return deliver(d);
  if (isEchoRequest(d)) return echo(d);
  if (!isSound(d)) return deliver(d);
  if (p.protocol === ipv4.TCP) reset(d);
  else if (isRefused(d)) refuse(d);
  else return deliver(d);
  return drop(d, Drop.portClosed);
}

/**
 * Delivers a packet to the host's own stack: the destination is the director itself. Intercepted
 * frames reach the stack by the TUN device.
 */
export function deliverLocal(d: Director): FinalVerdict {
  const p = d.packet;
  if (d.hostLink === undefined) return deliver(d);
  if (p.parts !== 0) return deliverRefragmented(d, d.hostLink.index, Verdict.delivered);
  d.counters.count(FrameStat.delivered);
  const type = p.family === 6 ? ethernet.TYPE_IPV6 : ethernet.TYPE_IPV4;
  const frame = p.l3 - ethernet.HEADER;
  ethernet.setType(d.umem.view, frame, type);
  enqueue(d, d.hostLink.index, frame, p.l3len + ethernet.HEADER, true);
  return Verdict.delivered;
}

function isOwn(d: Director): boolean {
  const p = d.packet;
  if (p.family === 4) return d.own.find(0, 0, 0, p.dst, 0, 4) >= 0;
  const [a, b, c, e] = p.dst6;
  return d.own.find(a!, b!, c!, e!, 0, 6) >= 0;
}

function isEchoRequest(d: Director): boolean {
  const p = d.packet;
  if (!d.acceptIcmp && !isOwn(d)) return false;
  if (p.family === 4) return p.protocol === ipv4.ICMP && p.icmpType === icmp.ECHO_REQUEST;
  return p.protocol === ipv6.ICMP6 && p.icmpType === icmp6.ECHO_REQUEST;
}

function echo(d: Director): FinalVerdict {
  const p = d.packet;
  const { view } = d.umem;
  const hop = p.family === 4 ? d.router.lookup4(p.src, p.dst, 0) : d.router.lookup6(p.src6, p.dst6, 0);
  const { mtu } = d.router;
  if (hop < 0) return drop(d, Drop.noRoute);
  if (p.family === 4) {
    icmp.makeEchoReply(view, p.l4);
    ipv4.setSrc(view, p.l3, p.dst);
    ipv4.setDst(view, p.l3, p.src);
    ipv4.setTtl(view, p.l3, 64);
    if (p.parts !== 0) ipv4.setId(view, p.l3, d.nextIdent());
    ipv4.fillChecksum(view, p.l3);
  } else {
    icmp6.makeEchoReply(view, p.l4);
    ipv6.rewriteSrc(view, p.l3, p.dst6);
    ipv6.rewriteDst(view, p.l3, p.src6);
    ipv6.setHopLimit(view, p.l3, 64);
  }
  if (p.parts !== 0) return answerRefragmented(d, hop, mtu);
  d.counters.count(FrameStat.delivered);
  neighbourOutput(d, hop, p.frame, p.len, p.etherType, true);
  return Verdict.delivered;
}

/** A packet with a wrong checksum gets no answer, nor does UDP over IPv6 without one. */
export function isSound(d: Director): boolean {
  const { family, protocol, src, dst, l3, l4, l4len } = d.packet;
  const { view } = d.umem;
  if (protocol !== ipv4.TCP && protocol !== ipv4.UDP) return true;
  const pseudo =
    family === 4 ? pseudo4(src, dst, protocol, l4len) : pseudo6(view, l3 + ipv6.SRC, l3 + ipv6.DST, protocol, l4len);
  if (protocol === ipv4.TCP) return tcp.isChecksumGood(view, l4, l4len, pseudo);
  return (family === 4 || udp.checksum(view, l4) !== 0) && udp.isChecksumGood(view, l4, l4len, pseudo);
}

function isRefused(d: Director): boolean {
  const { family, protocol, l4len } = d.packet;
  if (!d.acceptIcmp && !isOwn(d)) return false;
  // IPVS drops SCTP without a chunk silently.
  if (protocol === ipv4.SCTP && l4len < 16) return false;
  return family === 4
    ? protocol !== ipv4.ICMP && protocol !== IGMP
    : protocol !== ipv6.ICMP6 && protocol !== extensions.NONE;
}

function refuse(d: Director): void {
  const { family, protocol } = d.packet;
  const code = protocol === ipv4.UDP ? icmp.PORT_UNREACHABLE : icmp.PROTOCOL_UNREACHABLE;
  if (family === 4) sendIcmp4(d, icmp.UNREACHABLE, code, 0, true);
  else if (protocol === ipv4.UDP) sendIcmp6(d, icmp6.UNREACHABLE, icmp6.PORT_UNREACHABLE, 0, true);
  else sendIcmp6(d, icmp6.PARAMETER_PROBLEM, icmp6.UNKNOWN_NEXT_HEADER, namedAt(d), true);
}

const chain = new extensions.Chain();

/** Offset in the IPv6 packet of the byte that names the payload's protocol. */
function namedAt(d: Director): number {
  const { l3, l3len } = d.packet;
  return extensions.walk(d.umem.view, l3, l3 + l3len, chain) ? chain.named - l3 : 0;
}

/**
 * Defragmentation before anything else looks at a packet (nf_defrag; RFC 791, RFC 8200;
 * docs/ipvs-findings.md). IPv4: packets for the director, and TCP, UDP, SCTP and ICMP that cross
 * it. Each fragment of the latter is first forwarded as a router forwards it (TTL, route, MTU).
 * IPv6: all fragments, as the kernel does while there are services.
 *
 *      fragment ─┬─ complete ─► the reassembled datagram is the current packet
 *                ├─ held, for 30 s (IPv6 60 s) ─► fragmentTimeout; ICMP time exceeded if the first fragment had arrived
 *                ├─ duplicate ─► fragmentDuplicate
 *                └─ overlaps ─► it and all others of the datagram: fragmentOverlap
 */
import { findIn6 } from '../../conntrack/find-wide.js';
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import * as ethernet from '../../wire/ethernet.js';
import * as extensions from '../../wire/extensions.js';
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { drop } from '../output/verdict.js';
import type { PacketInfo } from '../parse/packet.js';
import { parse } from '../parse/parse.js';
import { type FragmentQueue, Placing } from '../table/fragment-queue.js';
import { LOCAL_ROUTE } from '../table/routes.js';
import { usableOrDrop } from '../xmit/next-hop.js';
import { decrementTtlOrDrop, fitsMtuOrDrop, icmpErrorFor4, icmpErrorFor6 } from '../xmit/ttl-mtu.js';

const TIMEOUT4 = 30_000;
const TIMEOUT6 = 60_000;
const REASSEMBLY = 1;
const ECN = 3;
const ECN_CE = 3;
const NOT_ECT = 1;
const chain = new extensions.Chain();

/**
 * Handles a fragment: held or dropped. None when the path goes on, with the reassembled datagram or
 * with a fragment that the director does not reassemble.
 */
export function defrag(d: Director): Verdict {
  if (d.assembled.frame < 0) return drop(d, Drop.fragmentLimit);
  return d.packet.family === 4 ? reassemble4(d) : reassemble6(d);
}

function reassemble4(d: Director): Verdict {
  const p = d.packet;
  const { view } = d.umem;
  const local = d.isLocal4(p.dst);
  if (!local && !isGathered(p)) return Verdict.none;
  // A mark may make the datagram the director's, by ports that only the reassembled datagram has.
  // Packets of a shared device are the host's to route.
  const crosses = !local && d.marks === undefined && !d.links[p.device]!.shared;
  if (crosses && !forwardFragmentOrDrop(d)) return Verdict.dropped;
  // Put the fragment into its queue (ip_frag_queue).
  const id = ipv4.id(view, p.l3);
  const placing = d.fragments.add(p, id, p.protocol, p.l4, p.l4len, d.now + TIMEOUT4);
  if (placing !== Placing.placed) return refuse(d, placing);
  const datagram = d.fragments.current!;
  datagram.crossed = crosses;
  // Complete? Reassemble it (ip_frag_reasm).
  if (!datagram.complete) return hold(d);
  return takeComplete(d, datagram) || finish4(d, datagram);
}

/** Protocols that IPVS knows, and ICMP (it may be an error about them), to a unicast address. */
function isGathered(p: PacketInfo): boolean {
  const { protocol } = p;
  if (p.dst >>> 28 >= 0xe) return false;
  return protocol === ipv4.UDP || protocol === ipv4.TCP || protocol === ipv4.ICMP || protocol === ipv4.SCTP;
}

/**
 * Forwards a fragment before it is reassembled, where the kernel's hook is. Returns false when it
 * was dropped.
 */
function forwardFragmentOrDrop(d: Director): boolean {
  const p = d.packet;
  if (!decrementTtlOrDrop(d, 0)) return false;
  const hop = usableOrDrop(d, d.router.lookup4(p.dst, p.src, 0), 0);
  return hop === LOCAL_ROUTE || (hop >= 0 && fitsMtuOrDrop(d, d.router.mtu, 0));
}

function reassemble6(d: Director): Verdict {
  const p = d.packet;
  const { view } = d.umem;
  const end = p.l3 + p.l3len;
  if (p.dst6[0]! >>> 24 === 0xff || !extensions.walk(view, p.l3, end, chain)) return Verdict.none;
  // Put the fragment into its queue (nf_ct_frag6_queue).
  const data = chain.fragment + extensions.FRAGMENT_HEADER;
  const id = extensions.fragmentId(view, chain.fragment);
  const placing = d.fragments.add(p, id, 0, data, end - data, d.now + TIMEOUT6);
  if (placing !== Placing.placed) return refuse(d, placing);
  const datagram = d.fragments.current!;
  // Complete? Reassemble it (nf_ct_frag6_reasm).
  if (!datagram.complete) return hold(d);
  return takeComplete(d, datagram) || finish6(d, datagram);
}

function refuse(d: Director, placing: number): FinalVerdict {
  return drop(d, placing === Placing.duplicate ? Drop.fragmentDuplicate : Drop.fragmentOverlap);
}

function hold(d: Director): FinalVerdict {
  d.traced?.note('held until its other fragments come');
  d.traced?.noteVerdict('waiting');
  return Verdict.held;
}

/**
 * Takes a complete datagram out of the table. Drops all its fragments when its ECN bits contradict
 * each other (RFC 3168, 5.3).
 */
function takeComplete(d: Director, datagram: FragmentQueue): Verdict {
  if ((datagram.ecn & NOT_ECT) !== 0 && datagram.ecn !== NOT_ECT) {
    d.traced?.noteDrop(Drop.badFragment);
    d.fragments.discard(datagram, Drop.badFragment);
    return Verdict.dropped;
  }
  d.fragments.take(datagram);
  return Verdict.none;
}

/** Builds the datagram: the first fragment's header and the data of all fragments. */
function finish4(d: Director, datagram: FragmentQueue): Verdict {
  const { assembled } = d;
  const { view, u8 } = d.umem;
  const first = datagram.first!;
  const from = first.frame + ethernet.HEADER;
  const header = ipv4.headerLen(view, from);
  const ip = assembled.frame + ethernet.HEADER;
  u8.copyWithin(assembled.frame, first.frame, from + header);
  assembled.gather(u8, datagram, ip + header);
  ipv4.setTotalLen(view, ip, header + datagram.end);
  ipv4.setFragment(view, ip, 0, false, datagram.largestDf === datagram.largest);
  if (isCongested(datagram)) view.setUint8(ip + 1, ipv4.tos(view, ip) | ECN);
  ipv4.fillChecksum(view, ip);
  return present(d, datagram, header + datagram.end);
}

/**
 * Builds the datagram without the fragment header: the header before it names the header behind it.
 */
function finish6(d: Director, datagram: FragmentQueue): Verdict {
  const { assembled } = d;
  const { view, u8 } = d.umem;
  const first = datagram.first!;
  const from = first.frame + ethernet.HEADER;
  extensions.walk(view, from, from + first.l3len, chain);
  const header = chain.fragment - from;
  const ip = assembled.frame + ethernet.HEADER;
  u8.copyWithin(assembled.frame, first.frame, chain.fragment);
  assembled.gather(u8, datagram, ip + header);
  assembled.unfragmentable = header;
  assembled.named = chain.fragmentNamed - from;
  view.setUint8(ip + assembled.named, view.getUint8(chain.fragment));
  ipv6.setPayloadLen(view, ip, header - ipv6.HEADER + datagram.end);
  if (isCongested(datagram)) ipv6.setTrafficClass(view, ip, ipv6.trafficClass(view, ip) | ECN);
  return present(d, datagram, header + datagram.end);
}

function isCongested(datagram: FragmentQueue): boolean {
  return (datagram.ecn & (1 << ECN_CE)) !== 0;
}

/** Makes the datagram the current packet and parses it: its transport header is readable now. */
function present(d: Director, datagram: FragmentQueue, l3len: number): Verdict {
  const p = d.packet;
  const { assembled } = d;
  const bad = parse(d.umem.view, assembled.frame, l3len + ethernet.HEADER, p);
  p.parts = assembled.count;
  p.crossed = datagram.crossed;
  d.fragments.spend(datagram);
  return bad !== 0 ? drop(d, bad) : Verdict.none;
}

/** Discards expired datagrams. Called with every tick. */
export function expireFragments(d: Director): void {
  // Here, not in `overdue`: a number that is given to a function may be allocated, in each turn.
  if (d.now < d.fragments.nextDue) return;
  for (let late = d.fragments.overdue(d.now); late !== undefined; late = d.fragments.overdue(d.now)) {
    if (late.first!.from === 0) sendTimeExceeded(d, late);
    d.fragments.discard(late, Drop.fragmentTimeout);
  }
}

function sendTimeExceeded(d: Director, datagram: FragmentQueue): void {
  const p = d.packet;
  const { frame, len } = datagram.first!;
  p.device = datagram.device;
  if (parse(d.umem.view, frame, len, p) !== 0) return;
  if (p.family === 4) icmpErrorFor4(d, icmp.TIME_EXCEEDED, REASSEMBLY, 0, connection(d), false);
  else icmpErrorFor6(d, icmp6.TIME_EXCEEDED, REASSEMBLY, 0, connection(d), false);
}

/**
 * The client's connection that the first fragment (at least 8 bytes) belongs to: the ICMP error is
 * counted for it.
 */
function connection(d: Director): number {
  const { family, protocol, src, dst, src6, dst6, l4 } = d.packet;
  const { table } = d.connections;
  const ports = d.umem.view.getInt32(l4);
  return family === 4 ? table.findIn4(protocol, src, dst, ports) : findIn6(table, protocol, src6, dst6, ports);
}

/**
 * Fragments become packets again before anything else looks at them (RFC 791, RFC 8200; docs/ipvs-findings.md). IPv4: whatever is for
 * the director, and TCP, UDP, SCTP and ICMP that cross it, once each piece has passed as a router lets it (TTL, route,
 * MTU). IPv6: all fragments, as the kernel's nf_defrag does while there are services.
 *
 *     fragment ─┬─ complete ─► the whole is the packet at hand
 *               ├─ held, for 30 s (IPv6 60 s) ─► fragmentTimeout; time exceeded to the sender if the first had come
 *               ├─ came twice ─► fragmentDuplicate
 *               └─ overlaps ─► it and all others of the datagram: fragmentOverlap
 */
import { findIn6 } from '../../conntrack/find-wide.js';
import { Drop } from '../../stats/drops.js';
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

/** The packet at hand is a fragment. True: go on with what is at hand now, the whole or a fragment that is none of our business. */
export function defrag(d: Director): boolean {
  if (d.assembled.frame >= 0) return d.packet.family === 4 ? reassemble4(d) : reassemble6(d);
  drop(d, Drop.fragmentLimit);
  return false;
}

function reassemble4(d: Director): boolean {
  const p = d.packet;
  const { view } = d.umem;
  const local = d.isLocal4(p.dst);
  if (!local && !isGathered(p)) return true;
  // A mark may yet make it ours, by ports that only the whole has; a shared device's packets are not ours to route.
  const crosses = !local && d.marks === undefined && !d.links[p.device]!.shared;
  if (crosses && !cross(d)) return false;
  const id = ipv4.id(view, p.l3);
  const placing = d.fragments.add(p, id, p.protocol, p.l4, p.l4len, d.now + TIMEOUT4);
  if (placing !== Placing.placed) return refuse(d, placing);
  const datagram = d.fragments.current!;
  datagram.crossed = crosses;
  if (!datagram.complete) return wait(d);
  return begin(d, datagram) && finish4(d, datagram);
}

/** Protocols that IPVS knows (and ICMP, which may be an error about them), to one host. */
function isGathered(p: PacketInfo): boolean {
  const { protocol } = p;
  if (p.dst >>> 28 >= 0xe) return false;
  return protocol === ipv4.UDP || protocol === ipv4.TCP || protocol === ipv4.ICMP || protocol === ipv4.SCTP;
}

/** Each piece is forwarded before it is gathered: that is where the kernel's hook sits. */
function cross(d: Director): boolean {
  const p = d.packet;
  if (!decrementTtlOrDrop(d, 0)) return false;
  const hop = usableOrDrop(d, d.router.lookup4(p.dst, p.src, 0), 0);
  return hop === LOCAL_ROUTE || (hop >= 0 && fitsMtuOrDrop(d, d.router.mtu, 0));
}

function reassemble6(d: Director): boolean {
  const p = d.packet;
  const { view } = d.umem;
  const end = p.l3 + p.l3len;
  if (p.dst6[0]! >>> 24 === 0xff || !extensions.walk(view, p.l3, end, chain)) return true;
  const data = chain.fragment + extensions.FRAGMENT_HEADER;
  const id = extensions.fragmentId(view, chain.fragment);
  const placing = d.fragments.add(p, id, 0, data, end - data, d.now + TIMEOUT6);
  if (placing !== Placing.placed) return refuse(d, placing);
  const datagram = d.fragments.current!;
  if (!datagram.complete) return wait(d);
  return begin(d, datagram) && finish6(d, datagram);
}

function refuse(d: Director, placing: number): false {
  drop(d, placing === Placing.duplicate ? Drop.fragmentDuplicate : Drop.fragmentOverlap);
  return false;
}

function wait(d: Director): false {
  d.trace?.note('held until its other fragments come');
  d.trace?.noteVerdict('waiting');
  return false;
}

/** False: the ECN bits contradict each other (RFC 3168, 5.3) and all pieces were dropped. */
function begin(d: Director, datagram: FragmentQueue): boolean {
  if ((datagram.ecn & NOT_ECT) !== 0 && datagram.ecn !== NOT_ECT) {
    d.trace?.noteDrop(Drop.badFragment);
    d.fragments.discard(datagram, Drop.badFragment);
    return false;
  }
  d.fragments.take(datagram);
  return true;
}

/** The first fragment's header with all data behind it. */
function finish4(d: Director, datagram: FragmentQueue): boolean {
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

/** Without the fragment header: what named it names what came behind it. */
function finish6(d: Director, datagram: FragmentQueue): boolean {
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

/** It becomes the packet at hand, parsed anew: its transport header is readable now. */
function present(d: Director, datagram: FragmentQueue, l3len: number): boolean {
  const p = d.packet;
  const { assembled } = d;
  const bad = parse(d.umem.view, assembled.frame, l3len + ethernet.HEADER, p);
  p.parts = assembled.count;
  p.crossed = datagram.crossed;
  d.fragments.spend(datagram);
  if (bad !== 0) drop(d, bad);
  return bad === 0;
}

/** Gives up what has waited too long. Called with every tick. */
export function expireFragments(d: Director): void {
  for (let late = d.fragments.overdue(d.now); late !== undefined; late = d.fragments.overdue(d.now)) {
    if (late.first!.from === 0) complain(d, late);
    d.fragments.discard(late, Drop.fragmentTimeout);
  }
}

function complain(d: Director, datagram: FragmentQueue): void {
  const p = d.packet;
  const { frame, len } = datagram.first!;
  p.device = datagram.device;
  if (parse(d.umem.view, frame, len, p) !== 0) return;
  if (p.family === 4) icmpErrorFor4(d, icmp.TIME_EXCEEDED, REASSEMBLY, 0, connection(d), false);
  else icmpErrorFor6(d, icmp6.TIME_EXCEEDED, REASSEMBLY, 0, connection(d), false);
}

/** The client's that the first fragment, which is at least 8 bytes, would have belonged to: the error counts for it. */
function connection(d: Director): number {
  const { family, protocol, src, dst, src6, dst6, l4 } = d.packet;
  const { table } = d.connections;
  const ports = d.umem.view.getInt32(l4);
  return family === 4 ? table.findIn4(protocol, src, dst, ports) : findIn6(table, protocol, src6, dst6, ports);
}

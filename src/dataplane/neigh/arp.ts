/**
 * ARP (RFC 826): answers for the director's addresses, learns neighbours, asks for neighbours. On a
 * device that the host's stack shares, the stack answers for its own addresses and resolves its
 * neighbours. The director then answers only for addresses that no interface has.
 */
import { FrameStat } from '../../stats/counters.js';
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import { BROADCAST_MAC, ZERO_MAC } from '../../wire/address.js';
import * as arp from '../../wire/arp.js';
import * as ethernet from '../../wire/ethernet.js';
import type { Director } from '../director.js';
import { pass } from '../host/pass.js';
import { enqueue, releaseWaiting } from '../output/neighbour-output.js';
import { deliver, drop } from '../output/verdict.js';
import type { Link } from '../table/link.js';
import type { Neighbour } from '../table/neighbour.js';

export function handleArp(d: Director): FinalVerdict {
  const p = d.packet;
  const { view } = d.umem;
  if (p.l3len < arp.LENGTH || !arp.isEthernetIpv4(view, p.l3)) return drop(d, Drop.badArp);
  const link = d.links[p.device]!;
  if (link.resolves) learn(d, link);
  if (arp.operation(view, p.l3) !== arp.REQUEST || !answersFor(d, link, arp.targetIp(view, p.l3)))
    return link.resolves ? deliver(d) : pass(d);
  return answer(d, link);
}

/** Returns true when the director answers for the address on this link. */
function answersFor(d: Director, link: Link, address: number): boolean {
  const owner = d.own.find(0, 0, 0, address, 0, 4);
  if (owner >= 0) return link.resolves;
  if (
    (link.resolves && d.services.isVip4(address)) ||
    d.sourcePool.sources.includes(address) ||
    d.snatRules.has4(address)
  )
    return true;
  return d.acceptArp && d.isLocal4(address);
}

/** Turns the request into the reply, in place, and sends it back. */
function answer(d: Director, link: Link): FinalVerdict {
  const p = d.packet;
  const { view } = d.umem;
  arp.makeReply(view, p.l3, link.mac[0], link.mac[1]);
  ethernet.setDst(view, p.frame, ethernet.srcHi(view, p.frame), ethernet.srcLo(view, p.frame));
  ethernet.setSrc(view, p.frame, link.mac[0], link.mac[1]);
  d.counters.count(FrameStat.delivered);
  enqueue(d, link.index, p.frame, ethernet.HEADER + arp.LENGTH, true);
  return Verdict.delivered;
}

/**
 * Learns the sender's MAC: of a known neighbour, or of a host that asks for one of our addresses.
 */
function learn(d: Director, link: Link): void {
  const p = d.packet;
  const { view } = d.umem;
  const ip = arp.senderIp(view, p.l3);
  if (ip === 0) return;
  let neighbour = d.neighbours.known(link.index, 4, 0, 0, 0, ip);
  if (neighbour === undefined) {
    if (!d.isLocal4(arp.targetIp(view, p.l3))) return;
    neighbour = d.neighbours.all[d.neighbours.idOf(link.index, 4, 0, 0, 0, ip)]!;
  }
  learnMac(d, neighbour, arp.senderHi(view, p.l3), arp.senderLo(view, p.l3));
}

export function learnMac(d: Director, neighbour: Neighbour, hi: number, lo: number): void {
  if (neighbour.permanent) return;
  d.neighbours.resolve(neighbour, hi, lo, d.now);
  releaseWaiting(d, neighbour);
}

/** Sends an ARP request: by broadcast, or to the known MAC while that is being confirmed. */
export function sendArpRequest(d: Director, neighbour: Neighbour): void {
  const link = d.links[neighbour.device]!;
  const source = sourceFor(link, neighbour.words[3]!);
  const mac = neighbour.usable ? ([neighbour.macHi, neighbour.macLo] as const) : BROADCAST_MAC;
  const body = arp.encode({
    operation: arp.REQUEST,
    senderMac: link.mac,
    senderIp: source,
    targetMac: ZERO_MAC,
    targetIp: neighbour.words[3]!,
  });
  const frame = d.umem.put(ethernet.encode({ dst: mac, src: link.mac, type: ethernet.TYPE_ARP, payload: body }));
  if (frame >= 0) enqueue(d, link.index, frame, ethernet.HEADER + arp.LENGTH, true);
}

/**
 * Source address of a request: the link's address on the neighbour's network, else its first
 * address.
 */
function sourceFor(link: Link, target: number): number {
  const near = link.addresses.find(
    ({ family, words, prefix }) =>
      family === 4 && ((words[3]! ^ target) & (prefix === 0 ? 0 : -1 << (32 - prefix))) === 0,
  );
  return (near ?? link.address(4))?.words[3] ?? 0;
}

/**
 * Ingress: the packet path from a received frame to its verdict (output/verdict.ts). Each step
 * returns a verdict, or none: then the next step decides.
 *
 *      parse ─┬─ ARP, ND ─────────────────────────────────► answered or learnt
 *             ├─ not for this MAC, not IP ────────────────► passed or dropped
 *             ├─ fragment ────────────────────────────────► held; the reassembled datagram goes on
 *             ├─ ICMP error about a connection ───────────► follows it, to the destination or to the client
 *             ├─ client's side of a connection ─┐
 *             ├─ mark or VIP with a service ────┴─ inbound ► masq | gatewaying | ipip | local
 *             ├─ destination's side of a masq connection ─ outbound ► client
 *             ├─ to one of our addresses ─────────────────► echo reply, RST, port unreachable, or the host's own stack
 *             └─ to another host ─────────────────────────► forwarded, or the host's own stack
 */
import type { Batch } from '../device/batch.js';
import { FrameStat } from '../stats/counters.js';
import { Drop } from '../stats/drops.js';
import { type FinalVerdict, Verdict } from '../stats/verdict.js';
import * as ethernet from '../wire/ethernet.js';
import type { Director } from './director.js';
import { fastPath } from './fastpath/fastpath.js';
import type { SlowPathScheduled } from './fastpath/slow-path.js';
import { handleLocal } from './host/local.js';
import { pass } from './host/pass.js';
import { handleArp } from './neigh/arp.js';
import { handleNeighbourDiscovery, isNeighbourDiscovery } from './neigh/nd.js';
import { drop } from './output/verdict.js';
import { parse } from './parse/parse.js';
import { checked } from './path/checked.js';
import { defrag } from './path/defrag.js';
import { forward } from './path/forward.js';
import { forwardShared, isShared } from './path/forward-shared.js';
import { icmpRelated } from './path/icmp-related.js';
import { inbound, inboundScheduled } from './path/inbound.js';
import { outbound } from './path/outbound.js';
import { mustWait } from './path/rebuilding.js';
import { refuseStray } from './path/stray-reply.js';

/**
 * Takes the frames of `batch`, which came in by the link `device`. Afterwards each has its verdict,
 * and the batch is empty; or it begins with a large frame that must be cut.
 */
export function processBatch(d: Director, device: number, batch: Batch): void {
  d.fastPath ??= fastPath(d, processFrame, processScheduled);
  const isFast = (d.isAwake(4) || d.isAwake(6)) && !d.backupOnly;
  batch.removeFirst(isFast ? d.fastPath(device, batch) : processEach(d, device, batch));
}

/** By the slow path alone. Returns the number of frames before the first large one. */
function processEach(d: Director, device: number, { n, offsets, lengths }: Batch): number {
  for (let i = 0; i < n; i++) {
    if (offsets[i]! >= d.umem.largeFrom) return i;
    processFrame(d, device, offsets[i]!, lengths[i]!);
  }
  return n;
}

/** Takes one frame by the slow path. `mayTrace`: false when no trace is about it. */
export function processFrame(d: Director, device: number, frame: number, len: number, mayTrace = true): FinalVerdict {
  const bad = receive(d, device, frame, len);
  if (d.trace === undefined || !mayTrace || !d.trace.isAbout(d.packet)) return route(d, bad);
  d.traced = d.trace;
  d.traced.begin(frame, len);
  return endTrace(d, route(d, bad));
}

/** The slow path for a sound frame whose destination the scheduler has chosen, or found none. */
export const processScheduled: SlowPathScheduled = (d, device, frame, len, service, dest) => {
  receive(d, device, frame, len);
  if (d.trace === undefined || !d.trace.isAbout(d.packet)) return inboundScheduled(d, service, dest) || unclaimed(d);
  d.traced = d.trace;
  d.traced.begin(frame, len);
  d.traced.noteService(service);
  d.traced.noteChoice(service, dest);
  return endTrace(d, inboundScheduled(d, service, dest) || unclaimed(d));
};

function endTrace(d: Director, verdict: FinalVerdict): FinalVerdict {
  d.traced!.end();
  d.traced = undefined;
  return verdict;
}

/** Counts and parses the frame. Returns the parser's drop reason, 0 for a sound frame. */
function receive(d: Director, device: number, frame: number, len: number): number {
  const p = d.packet;
  const { values } = d.counters;
  values[FrameStat.in]!++;
  values[FrameStat.inBytes]! += len;
  p.device = device;
  p.frame = frame;
  p.len = len;
  return parse(d.umem.view, frame, len, p);
}

/** What kind of frame is it? `bad`: as `receive` returns it. */
function route(d: Director, bad: number): FinalVerdict {
  const p = d.packet;
  if (bad !== 0) return drop(d, bad);
  if (p.etherType === ethernet.TYPE_ARP) return handleArp(d);
  if (p.family === 0) return pass(d);
  if (p.family === 6 && isNeighbourDiscovery(p)) return handleNeighbourDiscovery(d);
  if (d.links[p.device]!.isHost(d.umem.view, p.frame)) return routeIp(d);
  // Broadcasts and multicasts are the host's. Another MAC: a hub, or a switch that floods.
  return ethernet.isMulticast(d.umem.view, p.frame) ? pass(d) : drop(d, Drop.otherHost);
}

/** The steps of an IP packet to this machine's MAC, in the order of the kernel's hooks. */
function routeIp(d: Director): FinalVerdict {
  const p = d.packet;
  // Reassemble fragments (nf_defrag_ipv4, nf_defrag_ipv6).
  if ((p.moreFragments || p.fragmentOffset !== 0) && isGathered(d)) {
    const verdict = defrag(d) || (d.dispatch?.handOffReassembled() ?? Verdict.none);
    if (verdict !== Verdict.none) return verdict;
  }
  // Is it a health check of ours, or its answer?
  if (d.checks !== undefined) {
    const verdict = checked(d, d.checks);
    if (verdict !== Verdict.none) return verdict;
  }
  // Is the source one of our VIPs? (a martian to the kernel: fib_validate_source)
  if (d.forwardsShared && isShared(d)) return forwardShared(d);
  // Mark the packet (iptables -t mangle, PREROUTING).
  if (d.marks !== undefined) {
    p.mark = d.marks.match(p);
    d.traced?.noteMark(p.mark);
  }
  // Is it of a connection, or for a service? (ip_vs_in_hook, ip_vs_out_hook)
  if (!d.isAwake(p.family)) return routeOn(d);
  if (d.rebuild !== undefined && mustWait(d)) return drop(d, Drop.rebuilding);
  return icmpRelated(d) || inbound(d) || unclaimed(d);
}

/** No client's packet: a destination's, ours, or anybody's. */
function unclaimed(d: Director): FinalVerdict {
  return outbound(d) || routeOn(d);
}

/**
 * Of no connection: to one of our addresses (ip_local_deliver), or to another host (ip_forward).
 */
function routeOn(d: Director): FinalVerdict {
  return isForUs(d) ? refuseStray(d) || handleLocal(d) : forward(d);
}

/**
 * Without services, packets that only cross the director stay in fragments. IPv6 is always
 * reassembled: the kernel keeps nf_defrag_ipv6.
 */
function isGathered(d: Director): boolean {
  return d.packet.family === 6 || d.marks !== undefined || d.isAwake(4) || isForUs(d);
}

/** To one of our addresses; or marked for a service, which accepts any address. */
function isForUs(d: Director): boolean {
  const p = d.packet;
  if (p.mark !== 0 && d.services.isMarked(p.mark, p.family)) return true;
  return p.family === 4 ? d.isLocal4(p.dst) : d.isLocal6(p.dst6);
}

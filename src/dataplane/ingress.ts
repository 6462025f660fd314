/**
 * The packet path, from the door: what kind of frame, whose, and which half of the director it belongs to.
 *
 *     parse ─┬─ ARP, ND ────────────────────────────────► answered or learnt
 *            ├─ not for this MAC, not IP ───────────────► passed or dropped
 *            ├─ fragment ───────────────────────────────► held until the whole is there, which goes on
 *            ├─ ICMP error about a connection ──────────► follows it, to the destination or to the client
 *            ├─ client's side of a connection ─┐
 *            ├─ mark or VIP with a service ────┴─ inbound ► masq | gatewaying | ipip | local
 *            ├─ destination's side of a masq connection ─ outbound ► client
 *            ├─ for us, but nobody wants it ────────────► host: echo, RST, port unreachable, or the host's own stack
 *            └─ for somebody else ──────────────────────► forward, or the host's own stack
 */
import type { Batch } from '../device/batch.js';
import { FrameStat } from '../stats/counters.js';
import { Drop } from '../stats/drops.js';
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
import { defrag } from './path/defrag.js';
import { forward } from './path/forward.js';
import { forwardShared, isShared } from './path/forward-shared.js';
import { icmpRelated } from './path/icmp-related.js';
import { inbound, inboundScheduled } from './path/inbound.js';
import { outbound } from './path/outbound.js';
import { refuseStray } from './path/stray-reply.js';

/** All frames of `batch`, which came in by the link `device`; afterwards the batch is empty and the frames are taken care of. */
export function processBatch(d: Director, device: number, batch: Batch): void {
  d.fastPath ??= fastPath(d, processFrame, processScheduled);
  if (isAwake(d, 4)) d.fastPath(device, batch);
  else for (let i = 0; i < batch.n; i++) processFrame(d, device, batch.offsets[i]!, batch.lengths[i]!);
  batch.n = 0;
}

/** One frame, whatever it is: the long way. */
export function processFrame(d: Director, device: number, frame: number, len: number): void {
  const bad = receive(d, device, frame, len);
  if (d.trace === undefined || !d.trace.isAbout(d.packet)) return route(d, bad);
  d.traced = d.trace;
  d.traced.begin(frame, len);
  route(d, bad);
  endTrace(d);
}

/** The long way's second half, for a sound frame that opens a connection: its destination has been chosen, or there is none. */
export const processScheduled: SlowPathScheduled = (d, device, frame, len, service, dest) => {
  receive(d, device, frame, len);
  if (d.trace === undefined || !d.trace.isAbout(d.packet)) return inboundScheduled(d, service, dest);
  d.traced = d.trace;
  d.traced.begin(frame, len);
  d.traced.noteService(service);
  d.traced.noteChoice(service, dest);
  inboundScheduled(d, service, dest);
  endTrace(d);
};

function endTrace(d: Director): void {
  d.traced!.end();
  d.traced = undefined;
}

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

/** `bad`: the parser's drop reason, 0 for a sound frame. */
function route(d: Director, bad: number): void {
  const p = d.packet;
  if (bad !== 0) return drop(d, bad);
  if (p.etherType === ethernet.TYPE_ARP) return handleArp(d);
  if (p.family === 0) return pass(d);
  if (p.family === 6 && isNeighbourDiscovery(p)) return handleNeighbourDiscovery(d);
  if (!d.links[p.device]!.isHost(d.umem.view, p.frame)) return otherHost(d);
  packet(d);
}

/** Broadcasts and multicasts are the host's; a frame for another MAC came by accident (a hub, a flooding switch). */
function otherHost(d: Director): void {
  if (ethernet.isMulticast(d.umem.view, d.packet.frame)) pass(d);
  else drop(d, Drop.otherHost);
}

/** An IP packet that is addressed to this machine's MAC. */
function packet(d: Director): void {
  const p = d.packet;
  if ((p.moreFragments || p.fragmentOffset !== 0) && isGathered(d) && (!defrag(d) || d.crew?.handOffReassembled()))
    return;
  if (d.forwardsShared && isShared(d)) return forwardShared(d);
  if (d.marks !== undefined) {
    p.mark = d.marks.match(p);
    d.traced?.noteMark(p.mark);
  }
  if (isAwake(d, p.family) && (icmpRelated(d) || inbound(d) || outbound(d))) return;
  const local = isForUs(d);
  if (!local) forward(d);
  else if (!refuseStray(d)) handleLocal(d);
}

/**
 * Without services of a family the kernel takes its hooks away: connections that are still there lie dormant until a service
 * comes back. Those that snat has opened need none.
 */
function isAwake(d: Director, family: number): boolean {
  return d.services.serves(family) || d.snatRules.rules.length !== 0;
}

/** What merely crosses a director without services stays in pieces, but for IPv6, which the kernel then goes on gathering. */
function isGathered(d: Director): boolean {
  return d.packet.family === 6 || d.marks !== undefined || isAwake(d, 4) || isForUs(d);
}

/** An address of ours; or marked for a service, which counts as accepted whatever the address. */
function isForUs(d: Director): boolean {
  const p = d.packet;
  if (p.mark !== 0 && d.services.isMarked(p.mark, p.family)) return true;
  return p.family === 4 ? d.isLocal4(p.dst) : d.isLocal6(p.dst6);
}

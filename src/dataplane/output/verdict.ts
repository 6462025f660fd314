/**
 * Verdicts: every received frame ends as forwarded (neighbour-output.ts), delivered, passed
 * (host/pass.ts) or dropped. Each verdict frees the frame or hands it on.
 */
import { FrameStat } from '../../stats/counters.js';
import type { Director } from '../director.js';

export function drop(d: Director, reason: number): void {
  d.traced?.noteDrop(reason);
  if (d.packet.parts !== 0) return dropAssembled(d, reason);
  d.counters.drop(reason, d.packet.len);
  d.umem.free(d.packet.frame);
}

/** The director itself consumes the packet: ARP, an echo request, a packet for its own stack. */
export function deliver(d: Director): void {
  d.traced?.noteVerdict('delivered');
  if (d.packet.parts !== 0) return freeAssembled(d, FrameStat.delivered);
  d.counters.count(FrameStat.delivered);
  d.umem.free(d.packet.frame);
}

/** A reassembled packet's verdict counts for each frame that it arrived in. */
function dropAssembled(d: Director, reason: number): void {
  const { assembled, counters, umem } = d;
  for (let i = 0; i < assembled.count; i++) {
    counters.drop(reason, assembled.lens[i]!);
    umem.free(assembled.frames[i]!);
  }
}
export function freeAssembled(d: Director, fate: number): void {
  const { assembled, counters, umem } = d;
  counters.values[fate]! += assembled.count;
  for (let i = 0; i < assembled.count; i++) umem.free(assembled.frames[i]!);
}

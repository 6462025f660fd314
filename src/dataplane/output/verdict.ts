/**
 * The ends of a packet that stays in the director: dropped or delivered. Each frees the frame and
 * counts it. A reassembled packet's verdict counts for each frame that it arrived in; fragments
 * that leave count on their own.
 */
import { FrameStat } from '../../stats/counters.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import type { Director } from '../director.js';

/** Drops the packet. `reason`: a number of stats/drops.ts. */
export function drop(d: Director, reason: number): typeof Verdict.dropped {
  d.traced?.noteDrop(reason);
  if (d.packet.parts !== 0) dropAssembled(d, reason);
  else {
    d.counters.drop(reason, d.packet.len);
    d.umem.free(d.packet.frame);
  }
  return Verdict.dropped;
}

/** The director itself consumes the packet: ARP, an echo request, a packet for its own stack. */
export function deliver(d: Director): typeof Verdict.delivered {
  d.traced?.noteVerdict('delivered');
  if (d.packet.parts !== 0) freeAssembled(d, Verdict.delivered);
  else {
    d.counters.count(FrameStat.delivered);
    d.umem.free(d.packet.frame);
  }
  return Verdict.delivered;
}

function dropAssembled(d: Director, reason: number): void {
  const { assembled, counters, umem } = d;
  for (let i = 0; i < assembled.count; i++) {
    counters.drop(reason, assembled.lens[i]!);
    umem.free(assembled.frames[i]!);
  }
}

/** Frees the frames of the reassembled packet and counts them. */
export function freeAssembled(d: Director, verdict: FinalVerdict): void {
  const { assembled, counters, umem } = d;
  counters.values[verdict]! += assembled.count;
  for (let i = 0; i < assembled.count; i++) umem.free(assembled.frames[i]!);
}

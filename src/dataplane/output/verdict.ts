/**
 * Every frame that comes in ends in exactly one of these: forwarded (neighbour-output.ts), delivered, passed or dropped. Each of
 * them gives the frame back to the Umem or hands it on.
 */
import { FrameStat } from '../../stats/counters.js';
import type { Director } from '../director.js';
import { isIntercepted } from '../host/intercepted.js';
import { enqueue } from './neighbour-output.js';
import { deliverRefragmented } from './refragment.js';

export function drop(d: Director, reason: number): void {
  d.trace?.noteDrop(reason);
  if (d.packet.parts !== 0) return dropAssembled(d, reason);
  d.counters.drop(reason, d.packet.len);
  d.umem.free(d.packet.frame);
}

/** Consumed by the director itself: ARP, an echo request, a packet for its own stack. */
export function deliver(d: Director): void {
  d.trace?.noteVerdict('delivered');
  if (d.packet.parts !== 0) return freeAssembled(d, FrameStat.delivered);
  d.counters.count(FrameStat.delivered);
  d.umem.free(d.packet.frame);
}

/**
 * Not ours. Where the host's stack has seen the frame too, it does with it what it likes; a frame that was stolen from
 * the stack because it looked like ours is given back by the way into the host.
 */
export function pass(d: Director): void {
  const p = d.packet;
  d.trace?.noteVerdict('passed');
  const back = d.hostLink !== undefined && p.family !== 0 && isIntercepted(d);
  if (p.parts !== 0) {
    if (back) deliverRefragmented(d, d.hostLink!.index, FrameStat.passed);
    else freeAssembled(d, FrameStat.passed);
    return;
  }
  d.counters.count(FrameStat.passed);
  if (!back) d.umem.free(p.frame);
  else enqueue(d, d.hostLink!.index, p.frame, p.len, true);
}

/** A reassembled packet's fate is that of each frame it came in. */
function dropAssembled(d: Director, reason: number): void {
  const { assembled, counters, umem } = d;
  for (let i = 0; i < assembled.count; i++) {
    counters.drop(reason, assembled.lens[i]!);
    umem.free(assembled.frames[i]!);
  }
}
function freeAssembled(d: Director, fate: number): void {
  const { assembled, counters, umem } = d;
  counters.values[fate]! += assembled.count;
  for (let i = 0; i < assembled.count; i++) umem.free(assembled.frames[i]!);
}

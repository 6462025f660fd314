/**
 * Every frame that comes in ends in exactly one of these: forwarded (neighbour-output.ts), delivered, passed or dropped. Each of
 * them gives the frame back to the Umem or hands it on.
 */
import { Fate } from '../../stats/counters.js';
import type { Director } from '../director.js';
import { isTaken } from '../host/intercepted.js';
import { emit } from './neighbour-output.js';
import { deliverWhole } from './refragment.js';

export function drop(d: Director, reason: number): void {
  d.trace?.noteDrop(reason);
  if (d.packet.parts !== 0) return dropWhole(d, reason);
  d.counters.drop(reason, d.packet.len);
  d.umem.free(d.packet.frame);
}

/** Consumed by the director itself: ARP, an echo request, a packet for its own stack. */
export function deliver(d: Director): void {
  d.trace?.noteFate('delivered');
  if (d.packet.parts !== 0) return freeWhole(d, Fate.delivered);
  d.counters.count(Fate.delivered);
  d.umem.free(d.packet.frame);
}

/**
 * Not ours. Where the host's stack has seen the frame too, it does with it what it likes; a frame that was stolen from
 * the stack because it looked like ours is given back by the way into the host.
 */
export function pass(d: Director): void {
  const p = d.packet;
  d.trace?.noteFate('passed');
  const back = d.hostLink !== undefined && p.family !== 0 && isTaken(d);
  if (p.parts !== 0) {
    if (back) deliverWhole(d, d.hostLink!.index, Fate.passed);
    else freeWhole(d, Fate.passed);
    return;
  }
  d.counters.count(Fate.passed);
  if (!back) d.umem.free(p.frame);
  else emit(d, d.hostLink!.index, p.frame, p.len, true);
}

/** A reassembled packet's fate is that of each frame it came in. */
function dropWhole(d: Director, reason: number): void {
  const { whole, counters, umem } = d;
  for (let i = 0; i < whole.count; i++) {
    counters.drop(reason, whole.lens[i]!);
    umem.free(whole.frames[i]!);
  }
}
function freeWhole(d: Director, fate: number): void {
  const { whole, counters, umem } = d;
  counters.values[fate]! += whole.count;
  for (let i = 0; i < whole.count; i++) umem.free(whole.frames[i]!);
}

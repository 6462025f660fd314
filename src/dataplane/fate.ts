/**
 * Every frame that comes in ends in exactly one of these: forwarded (transmit.ts), delivered, passed or dropped. Each of
 * them gives the frame back to the Umem or hands it on.
 */
import { Fate } from '../stats/counters.js';
import type { Director } from './director.js';
import { isTaken } from './taken.js';
import { emit } from './transmit.js';

export function drop(d: Director, reason: number): void {
  d.trace?.noteDrop(reason);
  d.counters.drop(reason, d.packet.len);
  d.umem.free(d.packet.frame);
}

/** Consumed by the director itself: ARP, an echo request, a packet for its own stack. */
export function deliver(d: Director): void {
  d.trace?.noteFate('delivered');
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
  d.counters.count(Fate.passed);
  if (d.hostLink === undefined || p.family === 0 || !isTaken(d)) d.umem.free(p.frame);
  else emit(d, d.hostLink.index, p.frame, p.len, true);
}

/**
 * Every frame that comes in ends in exactly one of these: forwarded (transmit.ts), delivered, passed or dropped. Each of
 * them gives the frame back to the Umem or hands it on.
 */
import { Fate } from '../stats/counters.js';
import type { Director } from './director.js';

export function drop(d: Director, reason: number): void {
  d.counters.drop(reason, d.packet.len);
  d.umem.free(d.packet.frame);
}

/** Consumed by the director itself: ARP, an echo request, a packet for its own stack. */
export function deliver(d: Director): void {
  d.counters.count(Fate.delivered);
  d.umem.free(d.packet.frame);
}

/** Not ours: where the host's stack has seen the frame too, it does with it what it likes. */
export function pass(d: Director): void {
  d.counters.count(Fate.passed);
  d.umem.free(d.packet.frame);
}

/**
 * Locality-based least connection (ip_vs_lblc.c): a destination address stays with the destination
 * that wlc chose for it, so that a cache behind it sees the same pages. It moves when that
 * destination is gone, quiesced or strained. A destination over its upper threshold gets no new
 * addresses but keeps those that it has.
 */
import {
  type Arrival,
  type Destination,
  overhead,
  type Schedule,
  type Scheduler,
  type VirtualService,
} from '../service/service.js';
import { AddressCache } from './address-cache.js';
import { leastWeighted } from './least.js';

class LocalityLeastConnection implements Schedule {
  private readonly addresses = new AddressCache();
  private readonly remembered: Destination[] = [];

  constructor(private readonly service: VirtualService) {}

  schedule(arrival: Arrival, now: number): Destination | null {
    const dests = this.service.destinations;
    const slot = this.addresses.find(arrival, now);
    if (slot !== 0) {
      const dest = this.remembered[slot]!;
      if (dest.available && dest.weight > 0 && !isStrained(dest, dests)) return dest;
    }
    const dest = leastWeighted(dests, overhead);
    if (dest === null) return null;
    this.remember(slot !== 0 ? slot : this.addresses.add(arrival, now), dest);
    return dest;
  }

  sweep(now: number): void {
    this.addresses.sweep(now, this.service.settings.sysctl.lblc_expiration * 1000);
  }

  private remember(slot: number, dest: Destination): void {
    if (slot !== 0) this.remembered[slot] = dest;
  }
}

/**
 * Has more active connections than its weight, while another destination has less than half of its
 * weight.
 */
export function isStrained(dest: Destination, dests: readonly Destination[]): boolean {
  if (dest.active <= dest.weight) return false;
  for (const other of dests) if (other.active * 2 < other.weight) return true;
  return false;
}

export const lblc: Scheduler = {
  name: 'lblc',
  chooses: 'where this destination address went before, unless overloaded',
  remembers: true,
  bind: (service) => new LocalityLeastConnection(service),
};

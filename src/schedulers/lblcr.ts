/**
 * Locality-based least connection with replication (ip_vs_lblcr.c): each destination address has a
 * set of destinations. The least loaded member is chosen. When it is strained, or no member is
 * eligible, wlc's choice among all joins the set. A set that did not change for lblcr_expiration
 * shrinks.
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
import { DestinationSet } from './destination-set.js';
import { isStrained } from './lblc.js';
import { leastWeighted } from './least.js';

class ReplicatedLocality implements Schedule {
  private readonly addresses = new AddressCache();
  /** By slot of the cache. The set of a slot is used again for its next address. */
  private readonly sets: DestinationSet[] = [];

  constructor(private readonly service: VirtualService) {}

  schedule(arrival: Arrival, now: number): Destination | null {
    const slot = this.addresses.find(arrival, now);
    return slot === 0 ? this.first(arrival, now) : this.again(this.sets[slot]!, now);
  }

  sweep(now: number): void {
    this.addresses.sweep(now, this.expiry);
  }

  private get expiry(): number {
    return this.service.settings.sysctl.lblcr_expiration * 1000;
  }

  private first(arrival: Arrival, now: number): Destination | null {
    const dest = leastWeighted(this.service.destinations, overhead);
    if (dest === null) return null;
    const slot = this.addresses.add(arrival, now);
    if (slot !== 0) this.emptySet(slot).insert(dest, now);
    return dest;
  }

  /**
   * The choice comes before the shrinking: the member that leaves may still get this connection.
   */
  private again(set: DestinationSet, now: number): Destination | null {
    const dests = this.service.destinations;
    const member = set.leastLoaded();
    set.shrink(now, this.expiry);
    if (member !== null && !isStrained(member, dests)) return member;
    const dest = leastWeighted(dests, overhead);
    if (dest !== null) set.insert(dest, now);
    return dest;
  }

  private emptySet(slot: number): DestinationSet {
    this.sets[slot] ??= new DestinationSet();
    this.sets[slot].clear();
    return this.sets[slot];
  }
}

export const lblcr: Scheduler = {
  name: 'lblcr',
  chooses: 'the least loaded of the set this destination address went to before',
  remembers: true,
  bind: (service) => new ReplicatedLocality(service),
};

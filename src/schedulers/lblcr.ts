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

/**
 * Locality-based least connection with replication: an address has a set of destinations. Its least loaded one is taken;
 * when that is strained, or none can take it, wlc's choice among all is added. A set at rest for lblcr_expiration shrinks.
 */
class ReplicatedLocality implements Schedule {
  private readonly addresses = new AddressCache();
  /** By the cache's slot; a slot's set stays for its next address. */
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

  /** The choice is made before the set shrinks: a member may leave with its last connection. */
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

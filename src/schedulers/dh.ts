/**
 * Destination hashing (ip_vs_dh.c): 256 buckets, filled by going round the list of destinations,
 * whatever their weights.
 *
 *     bucket = hash32(destination address, 8)
 *
 * When the destination of the bucket is quiesced or overloaded, there is no destination.
 */
import {
  type Arrival,
  type Destination,
  eligible,
  type Schedule,
  type Scheduler,
  type VirtualService,
} from '../service/service.js';
import { destinationWord, hash32 } from './hash.js';

const BITS = 8;
const BUCKETS = 1 << BITS;

class DestinationHashing implements Schedule {
  private readonly buckets: (Destination | null)[] = new Array(BUCKETS).fill(null);

  constructor(private readonly service: VirtualService) {
    this.assign();
  }

  schedule(arrival: Arrival): Destination | null {
    const dest = this.buckets[hash32(destinationWord(arrival), BITS)]!;
    return dest !== null && eligible(dest) ? dest : null;
  }

  destAdded(): void {
    this.assign();
  }
  destRemoved(): void {
    this.assign();
  }

  private assign(): void {
    const dests = this.service.destinations;
    for (let i = 0; i < BUCKETS; i++) this.buckets[i] = dests[i % dests.length] ?? null;
  }
}

export const dh: Scheduler = {
  name: 'dh',
  chooses: "the bucket of the packet's destination address",
  ordered: true,
  bind: (service) => new DestinationHashing(service),
};

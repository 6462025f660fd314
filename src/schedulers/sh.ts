/**
 * Source hashing (ip_vs_sh.c): 256 buckets; each destination in turn takes as many as its weight,
 * at least one.
 *
 *     bucket = (offset + hash32(source + port, 8)) mod 256       port only with sh-port
 *
 * When the destination of the bucket is unavailable, there is no destination; with sh-fallback
 * other offsets are tried.
 */
import { SVC_SCHED1, SVC_SCHED2 } from '../service/config.js';
import {
  type Arrival,
  type Destination,
  eligible,
  type Schedule,
  type Scheduler,
  type VirtualService,
} from '../service/service.js';
import { hash32, sourceWord } from './hash.js';

const BUCKETS = 256;

class SourceHashing implements Schedule {
  private readonly buckets: (Destination | null)[] = new Array(BUCKETS).fill(null);

  constructor(private readonly service: VirtualService) {
    this.assign();
  }

  schedule(arrival: Arrival): Destination | null {
    const port = (this.service.flags & SVC_SCHED2) !== 0 ? arrival.sport : 0;
    const address = sourceWord(arrival);
    const first = hashBucket(address, port, 0);
    const dest = this.buckets[first]!;
    if (dest !== null && eligible(dest)) return dest;
    if ((this.service.flags & SVC_SCHED1) === 0 || dest === null) return null;
    return this.fallback(address, port, first);
  }

  destAdded(): void {
    this.assign();
  }
  destRemoved(): void {
    this.assign();
  }
  destUpdated(): void {
    this.assign();
  }

  private fallback(address: number, port: number, first: number): Destination | null {
    if (!this.service.destinations.some(eligible)) return null;
    for (let k = 0; k < BUCKETS; k++) {
      const dest = this.buckets[hashBucket(address, port, (k + first) % BUCKETS)]!;
      if (dest === null) return null;
      if (eligible(dest)) return dest;
    }
    return null;
  }

  private assign(): void {
    const dests = this.service.destinations;
    let at = 0;
    let taken = 0;
    for (let i = 0; i < BUCKETS; i++) {
      const dest = dests[at] ?? null;
      this.buckets[i] = dest;
      if (dest === null || ++taken < dest.weight) continue;
      at = (at + 1) % dests.length;
      taken = 0;
    }
  }
}

function hashBucket(address: number, port: number, offset: number): number {
  return (offset + hash32((port + address) | 0, 8)) % BUCKETS;
}

export const sh: Scheduler = {
  name: 'sh',
  chooses: "the bucket of the client's address",
  flags: ['sh-fallback', 'sh-port'],
  ordered: true,
  bind: (service) => new SourceHashing(service),
};

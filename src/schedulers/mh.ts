/**
 * Maglev hashing (ip_vs_mh.c): each destination has its own order of the table's slots.
 * Destinations take turns at their next free slot until none is left. Most slots keep their
 * destination when another comes or goes.
 *
 *     destination's order:  offset, offset + skip, offset + 2 skip, …  mod SLOTS       offset, skip: hashes of address and port
 *     a round:              the newest takes `turns` slots, then the next, …           turns: its share of the weights
 *     client's slot:        H1(source + port) mod SLOTS                                port only with mh-port
 *
 * A quiesced destination counts with its last weight above 0, so that quiescing moves no other
 * client. When the destination of the slot is unavailable, there is no destination; with
 * mh-fallback other slots are tried.
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
import { folded, sourceWord } from './hash.js';
import { hsiphash } from './hsiphash.js';
import { gcd } from './wrr.js';

/**
 * Primes, the largest below 2^8 to 2^17: the sizes that a kernel can be built with
 * (CONFIG_IP_VS_MH_TAB_INDEX).
 */
export const MH_SIZES = [251, 509, 1021, 2039, 4093, 8191, 16_381, 32_749, 65_521, 131_071] as const;
/** IP_VS_MH_TAB_SIZE with 12 bits, the kernel's default. */
export const SLOTS = 4093;
const KEY1 = 2654435761;
const KEY2 = 2654446892;

/** Start and step of a destination's walk over the slots; `address`: one int32 in host order. */
export function walkOf(
  address: number,
  port: number,
  size: number = SLOTS,
): { readonly offset: number; readonly skip: number } {
  const place = (address + port) | 0;
  return { offset: hsiphash(place, KEY1, size), skip: hsiphash(place, KEY2, size - 1) + 1 };
}

class MaglevHashing implements Schedule {
  private readonly slots: (Destination | null)[];
  /** Destinations changed since the table was filled. */
  private stale = false;

  constructor(
    private readonly service: VirtualService,
    private readonly size: number = SLOTS,
  ) {
    this.slots = new Array(size).fill(null);
    this.changed();
  }

  schedule(arrival: Arrival): Destination | null {
    if (this.stale) this.assign();
    const port = (this.service.flags & SVC_SCHED2) !== 0 ? arrival.sport : 0;
    const place = (sourceWord(arrival) + port) | 0;
    const first = hsiphash(place, KEY1, this.size);
    const dest = this.slots[first]!;
    if (dest === null || eligible(dest)) return dest;
    return (this.service.flags & SVC_SCHED1) === 0 ? null : this.fallback(place, first);
  }

  destAdded(): void {
    this.changed();
  }
  destRemoved(): void {
    this.changed();
  }
  destUpdated(): void {
    this.changed();
  }

  private fallback(place: number, first: number): Destination | null {
    if (!this.service.destinations.some(eligible)) return null;
    for (let k = 0; k < this.size; k++) {
      const offset = (k + first) % this.size;
      const dest = this.slots[hsiphash((place + offset) | 0, KEY1, this.size)]!;
      if (dest !== null && eligible(dest)) return dest;
    }
    return null;
  }

  /**
   * The table is filled for the next client, once for many changes. With more destinations than
   * slots the kernel makes no new table and keeps the last one, which must therefore be filled.
   */
  private changed(): void {
    const { length } = this.service.destinations;
    if (length < this.size) this.stale = true;
    else if (length === this.size) this.assign();
  }

  private assign(): void {
    const dests = this.service.destinations;
    this.stale = false;
    this.slots.fill(null);
    const walkers = walkersOf(dests, this.size).filter(({ turns }) => turns > 0);
    for (let left = walkers.length === 0 ? 0 : this.size; left > 0; ) left -= round(this.slots, walkers, left);
  }
}

interface Walker {
  readonly dest: Destination;
  readonly skip: number;
  readonly turns: number;
  at: number;
}

/**
 * A turn is at most as wide as half of the bits of the table's size: a huge weight does not fill
 * the table in one turn.
 */
function walkersOf(dests: readonly Destination[], size: number): Walker[] {
  const turnBits = (32 - Math.clz32(size)) >> 1;
  const step = dests.reduce((sofar, dest) => gcd(sofar, dest.lastWeight), 0) || 1;
  const heaviest = dests.reduce((sofar, dest) => Math.max(sofar, dest.lastWeight), 0) / step;
  const shift = Math.max(0, 32 - Math.clz32(heaviest) - turnBits);
  return dests.map((dest) => {
    const { offset, skip } = walkOf(dest.family === 4 ? dest.address : folded(dest.address6), dest.port, size);
    const turns = (dest.lastWeight / step) >> shift || Math.min(dest.lastWeight, 1);
    return { dest, skip, turns, at: offset };
  });
}

/** One turn of each walker. Returns the number of slots taken, at most `left`. */
function round(slots: (Destination | null)[], walkers: readonly Walker[], left: number): number {
  let taken = 0;
  for (const walker of walkers) {
    for (let turn = 0; turn < walker.turns; turn++) {
      if (taken === left) return taken;
      takeNext(slots, walker);
      taken++;
    }
  }
  return taken;
}

function takeNext(slots: (Destination | null)[], walker: Walker): void {
  while (slots[walker.at] !== null) walker.at = (walker.at + walker.skip) % slots.length;
  slots[walker.at] = walker.dest;
}

/** mh with a table of another size, one of MH_SIZES. */
export function mhOfSize(size: number): (service: VirtualService) => Schedule {
  return (service) => new MaglevHashing(service, size);
}

export const mh: Scheduler = {
  name: 'mh',
  chooses: "the slot of the client's address in the Maglev table",
  flags: ['mh-fallback', 'mh-port'],
  ordered: true,
  bind: (service) => new MaglevHashing(service),
};

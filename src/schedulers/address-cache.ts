/**
 * What lblc and lblcr remember by destination address: chains in 1024 buckets over rows of five
 * words. Slots are numbers from 1, under which the owner keeps its own data. They are reused.
 *
 *     heads[hash32(address, 10)] ──> row: [ next | a0 a1 a2 a3 ]  ──> …       IPv4: 0 0 0 address
 *
 * Housekeeping once a minute, as in ip_vs_lblc.c. Above MAX entries it removes those idle for six
 * minutes, bucket by bucket from where it stopped last time. Every 30th minute below MAX it removes
 * those older than the sysctl.
 */
import type { Arrival } from '../service/service.js';
import { destinationWord, hash32 } from './hash.js';

const BITS = 10;
const BUCKETS = 1 << BITS;
/** Above MAX entries idle ones are removed early; at LIMIT entries no more are added. */
export const MAX = BUCKETS * 16;
export const LIMIT = (MAX * 3) / 2;
const IDLE_MS = 6 * 60_000;
const FULL_SWEEP_EVERY = 30;
const ROW = 5;

/** A map from destination addresses to slots. */
export class AddressCache {
  private readonly heads = new Int32Array(BUCKETS);
  private rows = new Int32Array(64 * ROW);
  private used = new Float64Array(64);
  /** The highest slot ever used. Free slots below it form a chain. */
  private high = 0;
  private free = 0;
  private entries = 0;
  private rover = 0;
  private minutes = 1;

  get size(): number {
    return this.entries;
  }

  /**
   * The slot of the arrival's destination address, marked as used at `now` (ms). 0: the address is
   * unknown.
   */
  find(arrival: Arrival, now: number): number {
    let slot = this.heads[bucketOf(arrival)]!;
    while (slot !== 0 && !this.isFor(slot, arrival)) slot = this.rows[slot * ROW]!;
    if (slot !== 0) this.used[slot] = now;
    return slot;
  }

  /** A slot for an address that `find` does not know. 0: the cache is full. */
  add(arrival: Arrival, now: number): number {
    if (this.entries >= LIMIT) return 0;
    const slot = this.takeSlot();
    const bucket = bucketOf(arrival);
    const row = slot * ROW;
    this.rows[row] = this.heads[bucket]!;
    for (let i = 0; i < 4; i++) this.rows[row + 1 + i] = wordOf(arrival, i);
    this.heads[bucket] = slot;
    this.used[slot] = now;
    this.entries++;
    return slot;
  }

  /** Housekeeping, once a minute; `now` and `expiry` in ms. */
  sweep(now: number, expiry: number): void {
    if (this.minutes % FULL_SWEEP_EVERY === 0) {
      this.removeIdle(now - expiry, Number.POSITIVE_INFINITY);
      this.minutes = 1;
    } else if (this.entries <= MAX) {
      this.minutes++;
    } else {
      this.removeIdle(now - IDLE_MS, Math.min(Math.floor(((this.entries - MAX) * 4) / 3), MAX / 2));
    }
  }

  /**
   * Removes entries last used at or before `until`, bucket by bucket, until `goal` of them are
   * gone.
   */
  private removeIdle(until: number, goal: number): void {
    const enough = this.entries - goal;
    for (let i = 0; i < BUCKETS; i++) {
      this.rover = (this.rover + 1) % BUCKETS;
      this.removeFrom(this.rover, until);
      if (this.entries <= enough) return;
    }
  }

  private removeFrom(bucket: number, until: number): void {
    let kept = 0;
    for (let slot = this.heads[bucket]!; slot !== 0; ) {
      const next = this.rows[slot * ROW]!;
      if (this.used[slot]! <= until) this.release(slot);
      else {
        this.rows[slot * ROW] = kept;
        kept = slot;
      }
      slot = next;
    }
    this.heads[bucket] = kept;
  }

  private release(slot: number): void {
    this.rows[slot * ROW] = this.free;
    this.free = slot;
    this.entries--;
  }

  private takeSlot(): number {
    const slot = this.free;
    if (slot !== 0) {
      this.free = this.rows[slot * ROW]!;
      return slot;
    }
    if (++this.high === this.used.length) this.grow();
    return this.high;
  }

  private grow(): void {
    const { rows, used } = this;
    this.rows = new Int32Array(rows.length * 2);
    this.rows.set(rows);
    this.used = new Float64Array(used.length * 2);
    this.used.set(used);
  }

  private isFor(slot: number, arrival: Arrival): boolean {
    const row = slot * ROW + 1;
    for (let i = 3; i >= 0; i--) if (this.rows[row + i] !== wordOf(arrival, i)) return false;
    return true;
  }
}

function bucketOf(arrival: Arrival): number {
  return hash32(destinationWord(arrival), BITS);
}

function wordOf(arrival: Arrival, i: number): number {
  const turned = arrival.quoted === true;
  if (arrival.family === 6) return (turned ? arrival.src6 : arrival.dst6)[i]!;
  return i === 3 ? (turned ? arrival.src : arrival.dst) : 0;
}

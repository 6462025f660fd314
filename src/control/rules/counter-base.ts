/**
 * Bases of counters. Counters of a slot only grow; the control thread subtracts what they had when
 * the slot got a new owner, or at the last `-Z`. Shown = counted − base. Rates have no base.
 */
import type { StatsEntry } from '../api/api.js';
import type { CountersOf, CountersView } from './counters.js';

const TOTALS = ['conns', 'inpkts', 'outpkts', 'inbytes', 'outbytes'] as const;

/**
 * Where zero points outlive the process; the order of `counts` is that of Stat (stats/counters.ts).
 */
export interface ZeroPoints {
  read(of: CountersOf, slot: number): readonly number[];
  /** Takes the counts from index `from` on, 0 by default. */
  write(of: CountersOf, slot: number, counts: ArrayLike<number>, from?: number): void;
}

/** Zero points of the counters of slots. */
class CounterBases {
  /** Of each slot the counts in the order of TOTALS, 0 where there is no zero point. */
  private bases = new Float64Array(TOTALS.length);

  constructor(
    private readonly of: CountersOf,
    private readonly counters: CountersView,
    private readonly kept: ZeroPoints | undefined,
  ) {}

  /** Makes the present counts the zero point. */
  zero(slot: number): void {
    const at = this.roomFor(slot);
    this.counters.copyCounts(this.of, slot, this.bases, at);
    this.kept?.write(this.of, slot, this.bases, at);
  }

  /** Takes the zero point that a former process has set. */
  restore(slot: number): void {
    const counts = this.kept?.read(this.of, slot);
    if (counts === undefined) return;
    const at = this.roomFor(slot);
    this.bases.set(counts, at);
  }

  /** Where the zero point of a slot is. */
  private roomFor(slot: number): number {
    const at = slot * TOTALS.length;
    if (at >= this.bases.length) {
      const more = new Float64Array(2 * (at + TOTALS.length));
      more.set(this.bases);
      this.bases = more;
    }
    return at;
  }

  /** The counts since the zero point. */
  shown(slot: number, counted: StatsEntry): StatsEntry {
    const entry = { ...counted };
    for (const [i, name] of TOTALS.entries()) entry[name] -= this.bases[slot * TOTALS.length + i] ?? 0;
    return entry;
  }

  /** Removes the zero point. */
  forget(slot: number): void {
    this.bases.fill(0, slot * TOTALS.length, (slot + 1) * TOTALS.length);
  }
}

/** The total has one row. */
const TOTAL = 0;

/**
 * Counters of services, destinations and the director as listings show them: since their zero
 * points.
 */
export class ShownCounters {
  private readonly services: CounterBases;
  private readonly destinations: CounterBases;
  private readonly whole: CounterBases;

  constructor(
    private readonly counters: CountersView,
    kept?: ZeroPoints,
  ) {
    this.services = new CounterBases('service', counters, kept);
    this.destinations = new CounterBases('destination', counters, kept);
    this.whole = new CounterBases('total', counters, kept);
    this.whole.restore(TOTAL);
  }

  /** Slots whose zero points a former process has set. */
  restore(services: Iterable<number>, destinations: Iterable<number>): void {
    for (const slot of services) this.services.restore(slot);
    for (const slot of destinations) this.destinations.restore(slot);
  }

  service(slot: number): StatsEntry {
    return this.services.shown(slot, this.counters.service(slot));
  }
  destination(slot: number): StatsEntry {
    return this.destinations.shown(slot, this.counters.destination(slot));
  }
  total(): StatsEntry {
    return this.whole.shown(TOTAL, this.counters.total());
  }

  zeroService(slot: number): void {
    this.services.zero(slot);
  }
  zeroDestination(slot: number): void {
    this.destinations.zero(slot);
  }
  zeroTotal(): void {
    this.whole.zero(TOTAL);
  }

  forgetService(slot: number): void {
    this.services.forget(slot);
  }
  forgetDestination(slot: number): void {
    this.destinations.forget(slot);
  }
}

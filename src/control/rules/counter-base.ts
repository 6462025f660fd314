/**
 * Bases of counters. Counters of a slot only grow; the control thread subtracts what they had when
 * the slot got a new owner, or at the last `-Z`. Shown = counted − base. Rates have no base.
 */
import type { StatsEntry } from '../api/api.js';
import type { CountersView } from './counters.js';

const TOTALS = ['conns', 'inpkts', 'outpkts', 'inbytes', 'outbytes'] as const;
type Totals = Record<(typeof TOTALS)[number], number>;

/**
 * Where zero points outlive the process; the order of `counts` is that of Stat (stats/counters.ts).
 */
export interface ZeroPoints {
  read(of: 'service' | 'destination' | 'whole', slot: number): readonly number[];
  write(of: 'service' | 'destination' | 'whole', slot: number, counts: readonly number[]): void;
}

/** Zero points of the counters of slots. */
class CounterBases {
  private readonly bases = new Map<number, Totals>();

  constructor(
    private readonly of: 'service' | 'destination' | 'whole',
    private readonly kept: ZeroPoints | undefined,
  ) {}

  /** Makes the present counts the zero point. */
  zero(slot: number, counted: StatsEntry): void {
    const { conns, inpkts, outpkts, inbytes, outbytes } = counted;
    this.bases.set(slot, { conns, inpkts, outpkts, inbytes, outbytes });
    this.kept?.write(this.of, slot, [conns, inpkts, outpkts, inbytes, outbytes]);
  }

  /** Takes the zero point that a former process has set. */
  restore(slot: number): void {
    const counts = this.kept?.read(this.of, slot);
    if (counts === undefined) return;
    const [conns, inpkts, outpkts, inbytes, outbytes] = counts as [number, number, number, number, number];
    this.bases.set(slot, { conns, inpkts, outpkts, inbytes, outbytes });
  }

  /** The counts since the zero point. */
  shown(slot: number, counted: StatsEntry): StatsEntry {
    const base = this.bases.get(slot);
    const entry = { ...counted };
    if (base) for (const name of TOTALS) entry[name] -= base[name];
    return entry;
  }

  /** Removes the zero point. */
  forget(slot: number): void {
    this.bases.delete(slot);
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
    this.services = new CounterBases('service', kept);
    this.destinations = new CounterBases('destination', kept);
    this.whole = new CounterBases('whole', kept);
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
    this.services.zero(slot, this.counters.service(slot));
  }
  zeroDestination(slot: number): void {
    this.destinations.zero(slot, this.counters.destination(slot));
  }
  zeroTotal(): void {
    this.whole.zero(TOTAL, this.counters.total());
  }

  forgetService(slot: number): void {
    this.services.forget(slot);
  }
  forgetDestination(slot: number): void {
    this.destinations.forget(slot);
  }
}

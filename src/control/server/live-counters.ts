/** Reads listings, rates and connections from shared memory. */
import { describe } from '../../conntrack/describe.js';
import { engineOf, keyText } from '../../conntrack/engine-templates.js';
import {
  CONN_HASHED,
  CONN_REVERSE,
  CONN_SYNC,
  ENTRY_SHIFT,
  EXPIRES,
  FLAGS,
  HIGH_WATER_WORD,
  TICKS,
} from '../../conntrack/entry.js';
import { engineNumbered } from '../../persistence/index.js';
import { type Counters, GAUGES, Gauge, STATS, Stat } from '../../stats/counters.js';
import { ESTIMATE_EVERY, Estimators } from '../../stats/estimator.js';
import type { ConnectionEntry, StatsEntry } from '../api/api.js';
import type { Action } from '../rules/actions.js';
import type { ConnectionCounts, CountersOf, CountersView } from '../rules/counters.js';

/** Counters with rates. Rates of a service or destination are estimated from its addition on. */
export class LiveCounters implements CountersView {
  private readonly rates = new Estimators();
  private nextEstimate: number;

  constructor(
    readonly counters: Counters,
    now: number,
  ) {
    this.nextEstimate = now + ESTIMATE_EVERY;
    this.watch(counters.totalRow);
  }

  service(slot: number): StatsEntry {
    return this.row(this.counters.serviceRow(slot));
  }
  destination(slot: number): StatsEntry {
    return this.row(this.counters.destinationRow(slot));
  }
  total(): StatsEntry {
    return this.row(this.counters.totalRow);
  }
  copyCounts(of: CountersOf, slot: number, into: Float64Array, at: number): void {
    const { counters } = this;
    const row = of === 'total' ? counters.totalRow : counters[of === 'service' ? 'serviceRow' : 'destinationRow'](slot);
    for (let i = 0; i < STATS; i++) into[at + i] = counters.values[row + i]!;
  }
  connections(slot: number): ConnectionCounts {
    const { gauges } = this.counters;
    return {
      activeConns: gauges[slot * GAUGES + Gauge.active]!,
      inactConns: gauges[slot * GAUGES + Gauge.inactive]!,
      persistConns: gauges[slot * GAUGES + Gauge.persistent]!,
    };
  }

  /** Estimates rates. Call it at least every two seconds; `now` in ms. */
  tick(now: number): void {
    for (; now >= this.nextEstimate; this.nextEstimate += ESTIMATE_EVERY) this.rates.update(this.counters.values);
  }

  /** Starts estimating for new services and destinations; resets zeroed ones. */
  follow(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.kind === 'addService') this.watch(this.counters.serviceRow(action.slot));
      else if (action.kind === 'addDestination' && !action.revived)
        this.watch(this.counters.destinationRow(action.slot));
      else if (action.kind === 'zeroRates') this.zero(action.services, action.destinations, action.total);
    }
  }

  private zero(services: number[], destinations: number[], total: boolean): void {
    for (const slot of services) this.rates.reset(this.counters.serviceRow(slot));
    for (const slot of destinations) this.rates.reset(this.counters.destinationRow(slot));
    if (total) this.rates.reset(this.counters.totalRow);
  }

  private watch(row: number): void {
    this.rates.watch(this.counters.values, row);
  }

  private row(row: number): StatsEntry {
    const { rates } = this;
    const { values } = this.counters;
    return {
      conns: values[row + Stat.conns]!,
      inpkts: values[row + Stat.inpkts]!,
      outpkts: values[row + Stat.outpkts]!,
      inbytes: values[row + Stat.inbytes]!,
      outbytes: values[row + Stat.outbytes]!,
      cps: rates.shown(row, 0),
      inpps: rates.shown(row, 1),
      outpps: rates.shown(row, 2),
      inbps: rates.shown(row, 3),
      outbps: rates.shown(row, 4),
    };
  }
}

/**
 * Connections and templates of one table; `now` in ticks. `daddrOf`: address of a destination by
 * slot. `from`, `to`: entries, both included; all entries by default.
 */
export function listConnections(
  words: Int32Array,
  now: number,
  daddrOf: (slot: number) => string,
  from = 1,
  to = words[HIGH_WATER_WORD]!,
): ConnectionEntry[] {
  const entries: ConnectionEntry[] = [];
  for (let entry = from; entry <= to; entry++)
    if (isListed(words, entry, now)) entries.push(listed(words, entry, now, daddrOf));
  return entries;
}

/** Returns true for a connection or template that has not ended. */
export function isListed(words: Int32Array, entry: number, now: number): boolean {
  const at = entry << ENTRY_SHIFT;
  const isOne = (words[at + FLAGS]! & (CONN_HASHED | CONN_REVERSE)) === CONN_HASHED;
  return isOne && ((words[at + EXPIRES]! - now) | 0) > 0;
}

/** The connection or template at `entry`, as in a listing. */
export function listed(
  words: Int32Array,
  entry: number,
  now: number,
  daddrOf: (slot: number) => string,
): ConnectionEntry {
  const at = entry << ENTRY_SHIFT;
  return {
    ...describe(words, entry, daddrOf),
    expires: Math.floor(((words[at + EXPIRES]! - now) | 0) / TICKS),
    ...keyOf(words, entry),
    synced: (words[at + FLAGS]! & CONN_SYNC) !== 0,
  };
}

/** Engine and key of a template. */
function keyOf(words: Int32Array, entry: number): Pick<ConnectionEntry, 'peName' | 'peData'> {
  const engine = engineNumbered(engineOf(words, entry));
  return { peName: engine?.name ?? '', peData: engine === undefined ? '' : keyText(words, entry) };
}

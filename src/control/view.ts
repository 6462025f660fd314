/** The control side's reading glasses: listings, rates and the connection table out of the shared memory. */
import {
  CADDR,
  CONN_ASSURED,
  CONN_HASHED,
  CONN_IPV6,
  CONN_MIXED,
  CONN_TEMPLATE,
  DADDR,
  DEST,
  ENTRY_SHIFT,
  EXPIRES,
  FLAGS,
  PORTS,
  REST,
  TICKS,
  VADDR,
  WIDE_CADDR,
  WIDE_DADDR,
  WIDE_VADDR,
} from '../conntrack/entry.js';
import { SCTP_STATES } from '../conntrack/sctp.js';
import { TCP_STATES } from '../conntrack/tcp.js';
import { type Counters, GAUGES, Gauge, Stat } from '../stats/counters.js';
import { ESTIMATE_EVERY, Estimator } from '../stats/estimator.js';
import { format4, format6 } from '../wire/address.js';
import type { Action } from './actions.js';
import type { ConnectionEntry, StatsEntry } from './admin.js';
import type { ConnectionCounts, CountersView } from './counters.js';

/** Counters with rates. `tick` it at least every two seconds; rows begin to be estimated when they are first asked for or added. */
export class LiveCounters implements CountersView {
  private readonly estimators = new Map<number, Estimator>();
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
  connections(slot: number): ConnectionCounts {
    const { gauges } = this.counters;
    return {
      activeConns: gauges[slot * GAUGES + Gauge.active]!,
      inactConns: gauges[slot * GAUGES + Gauge.inactive]!,
      persistConns: gauges[slot * GAUGES + Gauge.persistent]!,
    };
  }

  tick(now: number): void {
    for (; now >= this.nextEstimate; this.nextEstimate += ESTIMATE_EVERY)
      for (const [row, estimator] of this.estimators) estimator.update(this.counters.values, row);
  }

  /** New services and destinations are estimated from now on; zeroed ones begin again. */
  follow(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.kind === 'addService') this.watch(this.counters.serviceRow(action.slot));
      else if (action.kind === 'addDestination' && !action.revived)
        this.watch(this.counters.destinationRow(action.slot));
      else if (action.kind === 'zeroRates') this.zero(action.services, action.destinations, action.total);
    }
  }

  private zero(services: number[], destinations: number[], total: boolean): void {
    for (const slot of services) this.estimators.get(this.counters.serviceRow(slot))?.reset();
    for (const slot of destinations) this.estimators.get(this.counters.destinationRow(slot))?.reset();
    if (total) this.estimators.get(this.counters.totalRow)?.reset();
  }

  private watch(row: number): void {
    this.estimators.set(row, new Estimator(this.counters.values, row));
  }

  private row(row: number): StatsEntry {
    const { values } = this.counters;
    const rates = this.estimators.get(row);
    return {
      conns: values[row + Stat.conns]!,
      inpkts: values[row + Stat.inpkts]!,
      outpkts: values[row + Stat.outpkts]!,
      inbytes: values[row + Stat.inbytes]!,
      outbytes: values[row + Stat.outbytes]!,
      cps: rates?.shown(0) ?? 0,
      inpps: rates?.shown(1) ?? 0,
      outpps: rates?.shown(2) ?? 0,
      inbps: rates?.shown(3) ?? 0,
      outbps: rates?.shown(4) ?? 0,
    };
  }
}

/** Every connection and template, from the table's memory; `now` in ticks. `daddrOf`: a destination's address by slot. */
export function listConnections(words: Int32Array, now: number, daddrOf: (slot: number) => string): ConnectionEntry[] {
  const entries: ConnectionEntry[] = [];
  const highest = words[0]!;
  for (let entry = 1; entry <= highest; entry++) {
    const at = entry << ENTRY_SHIFT;
    const left = (words[at + EXPIRES]! - now) | 0;
    if ((words[at + FLAGS]! & CONN_HASHED) !== 0 && left > 0) entries.push(read(words, at, left, daddrOf));
  }
  return entries;
}

function read(words: Int32Array, at: number, left: number, daddrOf: (slot: number) => string): ConnectionEntry {
  const flags = words[at + FLAGS]!;
  const protocol = (words[at + REST]! >>> 8) & 0xff;
  const six = (flags & CONN_IPV6) !== 0;
  const wide = words[at + DADDR]! << ENTRY_SHIFT;
  return {
    protocol,
    family: six ? 6 : 4,
    caddr: six ? format6(words, wide + WIDE_CADDR) : format4(words[at + CADDR]!),
    cport: words[at + PORTS]! >>> 16,
    vaddr: six ? format6(words, wide + WIDE_VADDR) : format4(words[at + VADDR]!),
    vport: words[at + PORTS]! & 0xffff,
    daddr:
      (flags & CONN_MIXED) !== 0
        ? daddrOf(words[at + DEST]! - 1)
        : six
          ? format6(words, wide + WIDE_DADDR)
          : format4(words[at + DADDR]!),
    dport: words[at + REST]! >>> 16,
    state: stateName(protocol, words[at + REST]! & 0xff, flags),
    expires: Math.floor(left / TICKS),
    peName: '',
    peData: '',
  };
}

function stateName(protocol: number, state: number, flags: number): string {
  if ((flags & CONN_TEMPLATE) !== 0) return (flags & CONN_ASSURED) !== 0 ? 'ASSURED' : 'NONE';
  if (protocol === 6) return TCP_STATES[state] ?? 'ERR!';
  if (protocol === 132) return SCTP_STATES[state] ?? 'ERR!';
  return protocol === 17 ? 'UDP' : 'NONE';
}

/**
 * What `ulvs top` knows of a director: each sample is the answers to a few requests, and rates are
 * differences of two samples.
 *
 *     status, list, health ─► Sample ─┬─ rates: (counter now - counter before) / seconds
 *                     Sample before ──┘        └─► history: the last rates of each row, for sparklines
 */
import type { AdminClient, DirectorStatus, ServiceEntry, StatsEntry } from '../../control/api/api.js';
import { ask } from '../../control/api/ask.js';
import { serviceWords } from '../../control/config/service-words.js';
import type { ServiceStatus } from '../../health/spec.js';
import { endpoint } from '../../service/config.js';

/** The answers at one time. */
export interface Sample {
  /** Time of the monotonic clock, ms. */
  readonly at: number;
  readonly status: DirectorStatus;
  readonly services: readonly ServiceEntry[];
  readonly health: readonly ServiceStatus[];
}

/** Per second. Bytes are those of the IP packets. */
export interface Rates {
  readonly conns: number;
  readonly inpkts: number;
  readonly outpkts: number;
  readonly inbytes: number;
  readonly outbytes: number;
}

/** Asks a director. `at`: now, ms. */
export async function takeSample(client: AdminClient, at: number): Promise<Sample> {
  const [status, list, health] = await Promise.all([
    ask(client, { op: 'status' }),
    ask(client, { op: 'list' }),
    ask(client, { op: 'health' }),
  ]);
  return { at, status: status.status!, services: list.services ?? [], health: health.health ?? [] };
}

/** Rates and their history, by the name of a row. */
export class Trends {
  private before: Sample | undefined;
  private counters = new Map<string, readonly number[]>();
  private readonly rates = new Map<string, number[]>();
  private readonly histories = new Map<string, number[]>();

  /** `length`: values in a history. */
  constructor(private readonly length = 12) {}

  /** Takes the next sample. A sample of another director, or after a restart, begins anew. */
  take(sample: Sample): void {
    const { before } = this;
    if (before !== undefined && before.status.pid !== sample.status.pid) this.counters.clear();
    const seconds = before === undefined ? 0 : (sample.at - before.at) / 1000;
    const counters = countersOf(sample);
    for (const [name, values] of counters) this.note(name, values, seconds);
    this.forget(counters);
    this.counters = counters;
    this.before = sample;
  }

  /** Rates of a row that `take` has seen twice; zeros otherwise. */
  of(name: string): Rates {
    const [conns = 0, inpkts = 0, outpkts = 0, inbytes = 0, outbytes = 0] = this.rates.get(name) ?? [];
    return { conns, inpkts, outpkts, inbytes, outbytes };
  }

  /** The rate of a single counter. */
  single(name: string): number {
    return this.rates.get(name)?.[0] ?? 0;
  }

  /** The last packet rates, the newest last. */
  history(name: string): readonly number[] {
    return this.histories.get(name) ?? [];
  }

  /** A counter that fell was zeroed: its rate is 0 this time. */
  private note(name: string, values: readonly number[], seconds: number): void {
    const old = this.counters.get(name);
    if (old === undefined || seconds <= 0) return;
    const rates = values.map((value, i) => Math.max(0, value - old[i]!) / seconds);
    this.rates.set(name, rates);
    const shown = rates.length === 1 ? rates[0]! : rates[1]! + rates[2]!;
    this.histories.set(name, [...this.history(name), shown].slice(-this.length));
  }

  private forget(counters: ReadonlyMap<string, readonly number[]>): void {
    for (const name of this.rates.keys())
      if (!counters.has(name)) {
        this.rates.delete(name);
        this.histories.delete(name);
      }
  }
}

/** Names of rows. */
export const TOTAL = 'total';
export const serviceRow = ({ key }: Pick<ServiceEntry, 'key'>): string => serviceWords(key);
export const destinationRow = (
  service: Pick<ServiceEntry, 'key'>,
  { address, port }: { readonly address: string; readonly port: number },
): string => `${serviceWords(service.key)} ${endpoint(address, port)}`;
export const dropRow = (name: string): string => `drop ${name}`;
export const workerRow = (i: number): string => `worker ${i}`;
export const deviceRow = (name: string, way: 'rx' | 'tx' | 'rxDropped'): string => `device ${name} ${way}`;

function countersOf({ status, services }: Sample): Map<string, readonly number[]> {
  const rows: [string, readonly number[]][] = [[TOTAL, columns(status.total)]];
  for (const service of services) {
    rows.push([serviceRow(service), columns(service.stats)]);
    for (const one of service.destinations) rows.push([destinationRow(service, one), columns(one.stats)]);
  }
  for (const { name, packets } of status.drops) rows.push([dropRow(name), [packets]]);
  for (const [i, { frames }] of status.workers.entries()) rows.push([workerRow(i), [frames]]);
  for (const { name, stats } of status.devices) {
    rows.push([deviceRow(name, 'rx'), [stats.rxPackets]], [deviceRow(name, 'tx'), [stats.txPackets]]);
    rows.push([deviceRow(name, 'rxDropped'), [stats.rxDropped]]);
  }
  return new Map(rows);
}

function columns({ conns, inpkts, outpkts, inbytes, outbytes }: StatsEntry): readonly number[] {
  return [conns, inpkts, outpkts, inbytes, outbytes];
}

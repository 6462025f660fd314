/**
 * The control thread's end of the health checks: plans go to the thread of the checks, what it says
 * of weights goes to the rule table as an operator's change would.
 *
 *     director.yaml, rules ─► plans ─► thread (src/health) ─► weights ─► Requests.applyHealth ─► dataplane
 *                                                        └─► log lines, status
 *
 * Without the key `checks` there is no thread.
 */
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { ServiceStatus, Verdict } from '../../health/spec.js';
import type { HealthMessage, HealthReport } from '../../health/thread.js';
import { keyText, type ServiceKey } from '../../service/config.js';
import type { Block } from '../../stats/block.js';
import type { ChecksConfig } from '../config/director-config.js';
import type { SlottedService } from '../rules/health-weight.js';
import type { HealthChecks } from '../server/forwarding.js';
import type { HealthSays } from '../server/requests.js';
import type { CheckPath } from './check-path.js';
import { type AddressFor, plansOf } from './plan.js';
import { withParts } from './with-parts.js';

/** Without a path through the dataplane, checks go to the real server's own address. */
const BY_ADDRESS: AddressFor = (_, { config }) => config.address;

/** What the checks need of the director. */
export interface HealthOwner {
  /** Of the first worker. */
  readonly counters: Block;
  slots(): SlottedService[];
  apply(says: readonly HealthSays[]): void;
  /** The director cannot go on; one line. */
  failed(message: string): void;
}

/** The health checks of a director. */
export class Health implements HealthChecks {
  status: readonly ServiceStatus[] = [];
  /** Set once the director has a TUN. */
  path: CheckPath | undefined;
  private thread: Worker | undefined;
  private checks: readonly ChecksConfig[] = [];
  /** Slots that the checks have a say in; true: a failure removes the destination. */
  private slots = new Map<number, boolean>();
  private waiting = false;
  private closed = false;

  constructor(
    private readonly owner: HealthOwner,
    private readonly log: Logger,
  ) {}

  /** Takes the checks of the configuration. */
  configure(checks: readonly ChecksConfig[]): void {
    this.checks = checks;
    this.plan();
  }

  /** Many changes come together: the plan is made once, after them. */
  rulesChanged(): void {
    if (this.waiting || this.thread === undefined) return;
    this.waiting = true;
    setImmediate(() => {
      this.waiting = false;
      if (!this.closed) this.plan();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.thread?.terminate();
  }

  private plan(): void {
    if (this.checks.length === 0 && this.thread === undefined) return;
    const services = this.owner.slots();
    const checked = services.filter(({ config }) => this.isChecked(config.key));
    const addressFor = this.path?.addresses(this.checks, checked) ?? BY_ADDRESS;
    const plans = plansOf(this.checks, services, addressFor);
    const slots = this.removing(services);
    const all = new Map(plans.flatMap(({ targets }) => targets.map(({ slot }) => [slot, slots.get(slot) === true])));
    const gone = [...this.slots.keys()].filter((slot) => !all.has(slot));
    this.slots = all;
    if (gone.length > 0) this.owner.apply(gone.map((slot) => ({ slot, health: undefined })));
    this.send({ kind: 'plan', plans, counters: this.owner.counters });
  }

  private isChecked(key: ServiceKey): boolean {
    return this.checks.some(({ service }) => keyText(service) === keyText(key));
  }

  /** Slots of services whose failed destinations are removed. */
  private removing(services: readonly SlottedService[]): Map<number, boolean> {
    const keys = new Set(
      this.checks.filter(({ onFailure }) => onFailure === 'remove').map(({ service }) => keyText(service)),
    );
    const removed = services.filter(({ config }) => keys.has(keyText(config.key)));
    return new Map(removed.flatMap(({ destinations }) => destinations.map(({ slot }) => [slot, true])));
  }

  private send(message: HealthMessage): void {
    this.thread ??= this.start();
    this.thread.postMessage(message);
  }

  private start(): Worker {
    const thread = new Worker(new URL('../../health/thread.js', import.meta.url));
    thread.on('message', (report: HealthReport) => this.take(report));
    thread.on('error', (error) => this.owner.failed(`health checks: ${error.stack ?? error.message}`));
    return thread;
  }

  private take(report: HealthReport): void {
    if (this.closed) return;
    if (report.kind === 'status') this.status = report.services;
    else if (report.kind === 'statusPart') this.status = withParts(this.status, report.parts);
    else this.takeChanges(report);
  }

  private takeChanges(report: Extract<HealthReport, { kind: 'changed' }>): void {
    this.owner.apply(report.verdicts.map((verdict) => this.says(verdict)));
    for (const { level, text } of report.events) this.log[level](text);
  }

  private says({ slot, share, weight }: Verdict): HealthSays {
    const removes = this.slots.get(slot);
    // The destination has gone since.
    if (removes === undefined) return { slot, health: undefined };
    return { slot, health: { share, weight, absent: removes && share === 0 } };
  }
}

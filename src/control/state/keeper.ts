/**
 * Keeps the state of a running director: what the former process left, and each change from now on.
 *
 *     former process ─► Store ─► inherited: rules, base, sysctls, stages ─► Daemon
 *     Daemon ─► changed, released, … ─► journal, written before the answer is sent
 */
import type { SteeringStage } from '../../dataplane/workers/steering.js';
import type { Sysctls } from '../../service/sysctl.js';
import { GAUGES, Gauge } from '../../stats/counters.js';
import type { Action } from '../rules/actions.js';
import type { ZeroPoints } from '../rules/counter-base.js';
import { KeptRules } from '../rules/kept-rules.js';
import { pack } from '../rules/packed-actions.js';
import { actionsOf, type Base, Journal, type JournalRecord } from './journal.js';
import { Store, type StoreNeeds } from './store.js';

/**
 * A journal is written anew when it is longer than this, in bytes, and four times its shortest,
 * which has PER_RULE bytes for each rule at least: not at once, for then it would be several times
 * while many rules change.
 */
const LONG = 4 << 20;
const GROWTH = 4;
const PER_RULE = 40;
const SHORTEN_MS = 5000;

/** What a former process left, besides the memory of the workers. */
export interface Inherited {
  /** They make its rules. */
  readonly actions: readonly Action[];
  readonly base: Base | undefined;
  readonly sysctl: Readonly<Sysctls> | undefined;
  readonly stages: readonly SteeringStage[] | undefined;
}

/** The state of a running director. */
export class StateKeeper {
  readonly store: Store;
  /** undefined: there was no former process. */
  readonly inherited: Inherited | undefined;
  readonly rules = new KeptRules();
  private base: Base | undefined;
  private sysctl: Readonly<Sysctls> | undefined;
  private stages: readonly SteeringStage[] | undefined;
  /** undefined: the state belongs to another director. */
  private journal: Journal | undefined;
  private shortest = 0;
  private shortening: NodeJS.Timeout | undefined;

  /** Throws a StateError. */
  constructor(needs: StoreNeeds) {
    this.store = new Store(needs);
    for (const record of this.store.records) this.take(record);
    const { base, sysctl, stages } = this;
    if (this.store.inherited) this.inherited = { actions: this.rules.actions(), base, sysctl, stages };
    if (needs.shared === true) return;
    this.clearGauges();
    this.write();
  }

  /** The other director uses the state no more; `write` follows. Throws a StateError. */
  takeOver(): void {
    this.store.own();
    this.clearGauges();
  }

  /** Another director goes on with the state; `takeOver` takes it back. */
  giveUp(): void {
    this.endJournal();
    this.store.disown();
  }

  /** Writes the journal anew; from now on each change is added. */
  write(): void {
    this.journal = new Journal(this.store.journalPath, this.records());
    this.shortest = this.journal.length;
  }

  /** How the workers of the former process shared clients. */
  get steering() {
    return { secret: this.store.birth.secret, stages: this.inherited?.stages };
  }

  get id(): string {
    return this.store.birth.state;
  }

  get zeroPoints(): ZeroPoints {
    return this.store.zeroPoints;
  }

  /** The rule table has changed. */
  changed(actions: readonly Action[]): void {
    if (actions.length === 0) return;
    this.rules.apply(actions);
    this.append({ packed: pack(actions) });
  }
  /** Slots of removed destinations became free. */
  released(slots: readonly number[]): void {
    if (slots.length > 0) this.note({ released: slots });
  }
  sysctlsAre(sysctl: Readonly<Sysctls>): void {
    if (JSON.stringify(sysctl) !== JSON.stringify(this.sysctl)) this.note({ sysctl });
  }
  /** director.yaml was read. */
  basedOn(base: Base): void {
    if (JSON.stringify(base) !== JSON.stringify(this.base)) this.note({ base });
  }
  stagesAre(stages: readonly SteeringStage[]): void {
    this.note({ stages });
  }

  /** Call it when no thread uses the memory any more. */
  close(): void {
    this.endJournal();
    this.store.close();
  }

  private note(record: JournalRecord): void {
    this.take(record);
    this.append(record);
  }

  private append(record: JournalRecord): void {
    if (this.journal === undefined) return;
    this.journal.append(record);
    const shortest = Math.max(this.shortest, PER_RULE * this.rules.count);
    if (this.journal.length >= Math.max(LONG, GROWTH * shortest))
      this.shortening ??= setTimeout(() => this.shorten(), SHORTEN_MS).unref();
  }

  /** On a full disk the long journal stays, and the next change tries again. */
  private shorten(): void {
    this.shortening = undefined;
    try {
      this.journal?.replace(this.records());
      this.shortest = this.journal?.length ?? 0;
    } catch {}
  }

  private endJournal(): void {
    clearTimeout(this.shortening);
    this.shortening = undefined;
    this.journal?.close();
    this.journal = undefined;
  }

  private take(record: JournalRecord): void {
    const actions = actionsOf(record);
    if (actions !== undefined) this.rules.apply(actions);
    else if ('released' in record) this.rules.release(record.released);
    else if ('base' in record) this.base = record.base;
    else if ('sysctl' in record) this.sysctl = record.sysctl;
    else if ('stages' in record) this.stages = record.stages;
  }

  /** The shortest journal of what is. */
  private records(): JournalRecord[] {
    const { base, sysctl, stages, store } = this;
    return [
      store.birth,
      { packed: pack(this.rules.actions()) },
      ...(base === undefined ? [] : [{ base }]),
      ...(sysctl === undefined ? [] : [{ sysctl }]),
      ...(stages === undefined ? [] : [{ stages }]),
    ];
  }

  /**
   * The gauges count connections, which the rebuild counts again; `overloaded` has a history and
   * stays. All workers share those of the first.
   */
  private clearGauges(): void {
    const gauges = this.store.gauges;
    for (const action of this.rules.actions())
      if (action.kind === 'addDestination')
        for (const gauge of [Gauge.active, Gauge.inactive, Gauge.persistent, Gauge.references])
          gauges[action.slot * GAUGES + gauge] = 0;
  }
}

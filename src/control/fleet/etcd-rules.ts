/**
 * The rules of a fleet, followed in etcd.
 *
 *     read all ──► apply ──► watch from the next revision ──► a change ──► apply ──► watch on
 *
 *     while it watches:
 *       the revision was compacted, or etcd was set back ──► read all
 *       etcd is away ──► one line in the log; watch again from the same revision
 *                        after 0.25 s, then longer, 5 s at most
 *
 * `apply` takes a whole set of rules or refuses it. What it refuses is said with its key, and the
 * rules stay those of the last revision that it took.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { EtcdConfig, RuleLine } from '../config/director-config.js';
import type { EtcdClient, KeyChange, Snapshot } from './etcd-client.js';
import { readLastGood, writeLastGood } from './last-good.js';
import { digestOf, linesOf, servicesBelow, strayLine } from './rule-keys.js';

/** Takes a set of rules, or rejects with an Error and changes nothing. */
export type ApplyRules = (lines: readonly RuleLine[]) => Promise<void>;

/** The rules that are in force. */
export interface RulesVersion {
  /** Revision of etcd's store at which they were read; 0: none were read yet. */
  readonly revision: number;
  /** As of digestOf. */
  readonly digest: string;
  /** Why a later revision is not applied; '': it is. */
  readonly refused: string;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;
const NONE: Snapshot = { revision: 0, entries: [] };

export class EtcdRules {
  /** What etcd has, as far as it is known. */
  private readonly keys = new Map<string, string>();
  private revision = 0;
  private applied: Snapshot = NONE;
  private refused = '';
  private away = false;
  private pause = FIRST_PAUSE_MS;
  private readonly abort = new AbortController();
  private readonly below: string;
  private ended: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: EtcdClient,
    private readonly config: EtcdConfig,
    private readonly log: Logger,
  ) {
    this.below = servicesBelow(config.prefix);
  }

  /** The rules in force. */
  get lines(): RuleLine[] {
    return linesOf(this.applied.entries);
  }

  get version(): RulesVersion {
    const { revision, entries } = this.applied;
    return { revision, digest: digestOf(entries), refused: this.refused };
  }

  /**
   * The first rules: of etcd, or else of the file `lastGood`, or else none. `check` rejects rules
   * that cannot be applied.
   */
  async first(check: ApplyRules): Promise<RuleLine[]> {
    const read = await this.read().catch((error: Error) => this.gone(error));
    if (read === true && (await this.take(check))) return this.lines;
    const kept = this.lastGood();
    if (kept !== undefined) await this.useLastGood(kept, check);
    else if (read !== true) this.log.warn('no rules yet: the director waits for etcd');
    return this.lines;
  }

  /** Follows etcd and applies every change, until `close`. */
  follow(apply: ApplyRules): void {
    this.ended = this.run(apply);
  }

  /** Applies what etcd has, if it was refused before. */
  async retry(apply: ApplyRules): Promise<void> {
    if (this.refused !== '') await this.take(apply);
  }

  async close(): Promise<void> {
    this.abort.abort();
    await this.ended;
  }

  private async run(apply: ApplyRules): Promise<void> {
    const { signal } = this.abort;
    while (!signal.aborted) {
      try {
        await this.watch(apply);
      } catch (error) {
        if (signal.aborted) return;
        this.gone(error as Error);
        await sleep(this.pause * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => {});
        this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  /** Watches until the connection breaks, which is an error, or until all must be read again. */
  private async watch(apply: ApplyRules): Promise<void> {
    if (this.revision === 0) {
      await this.read();
      await this.take(apply);
    }
    for await (const report of this.client.watch(this.below, this.revision + 1, this.abort.signal)) {
      if ('stale' in report) {
        this.revision = 0;
        return;
      }
      this.back();
      await this.changed(report.changes, apply);
    }
  }

  /** Reads all keys. */
  private async read(): Promise<true> {
    const { revision, entries } = await this.client.range(this.below);
    this.back();
    this.keys.clear();
    for (const { key, value } of entries) this.keys.set(key, value);
    this.revision = revision;
    return true;
  }

  /** All changes at once; if they are refused, revision by revision. */
  private async changed(changes: readonly KeyChange[], apply: ApplyRules): Promise<void> {
    const revisions = [...new Set(changes.map(({ revision }) => revision))];
    const before = new Map(this.keys);
    this.put(changes);
    if (revisions.length === 0 || (await this.take(apply, revisions.length > 1)) || revisions.length === 1) return;
    this.keys.clear();
    for (const [key, value] of before) this.keys.set(key, value);
    for (const one of revisions) {
      this.put(changes.filter(({ revision }) => revision === one));
      await this.take(apply);
    }
  }

  private put(changes: readonly KeyChange[]): void {
    for (const { key, value, revision } of changes) {
      if (value === undefined) this.keys.delete(key);
      else this.keys.set(key, value);
      this.revision = revision;
    }
  }

  /** Applies what etcd has. Returns false when it is refused. */
  private async take(apply: ApplyRules, silent = false): Promise<boolean> {
    const snapshot = { revision: this.revision, entries: this.sorted() };
    const why = await refusal(snapshot, apply);
    if (why !== '' && !silent) this.refuse(why);
    if (why !== '') return false;
    this.applied = snapshot;
    this.refused = '';
    this.keep();
    return true;
  }

  private refuse(why: string): void {
    this.refused = why;
    const kept = this.applied.revision === 0 ? 'there are none yet' : `those of revision ${this.applied.revision} stay`;
    for (const line of why.split('\n'))
      this.log.error(`etcd: rules of revision ${this.revision} not applied, ${kept}: ${line}`);
  }

  private keep(): void {
    if (this.config.lastGood === undefined) return;
    try {
      writeLastGood(this.config.lastGood, this.applied);
    } catch (error) {
      this.log.error((error as Error).message);
    }
  }

  private lastGood(): Snapshot | undefined {
    try {
      return this.config.lastGood === undefined ? undefined : readLastGood(this.config.lastGood);
    } catch (error) {
      this.log.error((error as Error).message);
      return undefined;
    }
  }

  private async useLastGood(kept: Snapshot, check: ApplyRules): Promise<void> {
    const why = await refusal(kept, check);
    if (why !== '') return this.log.error(`rules.etcd.lastGood: ${this.config.lastGood}: ${why}`);
    this.applied = kept;
    this.log.warn(`rules of revision ${kept.revision} from ${this.config.lastGood}`);
  }

  private sorted(): Snapshot['entries'] {
    return [...this.keys]
      .map(([key, value]) => ({ key, value }))
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  private gone({ message }: Error): false {
    if (!this.away) this.log.warn(`etcd is away, the rules stay as they are: ${message}`);
    this.away = true;
    return false;
  }

  private back(): void {
    if (this.away) this.log.info('etcd is back');
    this.away = false;
    this.pause = FIRST_PAUSE_MS;
  }
}

/** Why rules are refused; '': they are applied. */
async function refusal({ entries }: Snapshot, apply: ApplyRules): Promise<string> {
  const lines = linesOf(entries);
  const stray = strayLine(lines);
  if (stray !== undefined) return stray;
  try {
    await apply(lines);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

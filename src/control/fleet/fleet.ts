/**
 * A director's place in a fleet whose rules are in etcd: its rules come from there, and it has an
 * entry there.
 *
 *     open ─► first rules ─► Daemon.start ─► follow: changes ─► Daemon.reload
 *                                            └─► entry (member.ts)
 */
import os from 'node:os';
import type { Logger } from 'pino';
import type { AdminClient } from '../api/api.js';
import { ask } from '../api/ask.js';
import type { Config } from '../config/director-config.js';
import { dryClient, newRules } from '../server/dry-client.js';
import { EtcdClient } from './etcd-client.js';
import { EtcdRules } from './etcd-rules.js';
import { Member, type MemberEntry } from './member.js';

/** As in daemon.ts. */
type LoadRules = (config: Config, client: AdminClient) => Promise<void>;

/** A running director, as its fleet uses it. */
export interface FleetDirector extends AdminClient {
  reload(config: Config): Promise<unknown>;
}

/** Waits for its turn: a reload by etcd and one by SIGHUP must not overlap. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** The fleet of one director. */
export class Fleet {
  private readonly client: EtcdClient;
  private readonly rules: EtcdRules;
  private member: Member | undefined;
  private readonly started = Date.now();

  /**
   * `version`: of this program. Throws an Error that names a file of `rules.etcd` that cannot be
   * read.
   */
  constructor(
    private config: Config,
    log: Logger,
    private readonly version: string,
  ) {
    if (config.rules === undefined) throw new Error('a fleet needs rules.etcd');
    this.client = new EtcdClient(config.rules.etcd);
    this.rules = new EtcdRules(this.client, config.rules.etcd, log);
  }

  /** Whether a configuration has the same etcd. */
  serves({ rules }: Config): boolean {
    return JSON.stringify(rules) === JSON.stringify(this.config.rules);
  }

  /** Reads the first rules. `load` is as in daemon.ts. */
  async begin(load: LoadRules): Promise<void> {
    await this.rules.first((ruleLines) => dryRun({ ...this.config, ruleLines }, load));
  }

  /** The configuration with the rules in force. */
  complete(config: Config): Config {
    return { ...config, ruleLines: this.rules.lines };
  }

  /** Follows etcd and keeps the entry, until `close`. */
  follow(director: FleetDirector, inTurn: InTurn): void {
    const { etcd } = this.config.rules!;
    this.rules.follow(async (ruleLines) => {
      await inTurn(() => director.reload({ ...this.config, ruleLines }));
      // At once, so that the fleet's status shows it.
      void this.member?.refresh();
    });
    const name = etcd.name ?? os.hostname();
    this.member = new Member(this.client, etcd.prefix, name, () => this.entry(name, director));
    this.member.start();
  }

  /** After a reload by SIGHUP: rules that were refused may be right with the new configuration. */
  async reloaded(director: FleetDirector, config: Config): Promise<void> {
    this.config = config;
    await this.rules.retry(async (ruleLines) => {
      await director.reload({ ...config, ruleLines });
    });
  }

  /** Puts the entry, if it has changed. */
  async tell(): Promise<void> {
    await this.member?.refresh();
  }

  async close(): Promise<void> {
    await Promise.all([this.rules.close(), this.member?.close()]);
  }

  private async entry(name: string, director: AdminClient): Promise<MemberEntry> {
    const { status } = await ask(director, { op: 'status' });
    const { version, started, rules } = this;
    const { prefixes: announced = [], withdrawn = false } = status?.announce ?? {};
    const connections = status?.table.used ?? 0;
    return { name, version, started, announced: [...announced], withdrawn, connections, rules: rules.version };
  }
}

/** Rejects with the first rule that is wrong. */
async function dryRun(config: Config, load: LoadRules): Promise<void> {
  await load(config, dryClient(newRules(config)));
}

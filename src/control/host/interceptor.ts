/**
 * Keeps the intercept rules in step with services, marks and addresses: nft rules that drop the
 * kernel's copies, and maps of XDP programs. `flush ruleset` of a firewall removes the nft rules;
 * `check` installs them again.
 */
import { execFile, spawnSync } from 'node:child_process';
import { DeviceError } from '../../device/error.js';
import { NftIntercept } from '../../device/intercept/nft.js';
import { hostDelta } from '../../device/xdp/host-rule.js';
import type { InterceptMaps } from '../../device/xdp/intercept-maps.js';
import type { ServiceRules } from '../../service/config.js';
import { ifNameToIndex } from '../../sys/libc.js';
import { NftSocket } from '../../sys/nftables.js';
import { argumentsOf } from '../../sys/process.js';
import type { ChangeRequest } from '../api/api.js';
import type { Config } from '../config/config.js';
import { GapGuard, removeOldGuards } from './gap-guard.js';
import { type CheckAnswers, type InterceptSettings, inexactMarks } from './intercept-rules.js';
import { InterceptSet } from './intercept-set.js';
import { allRules, type InterceptDelta, lengthOf } from './rule-counts.js';

/** The parts of a configuration that intercept rules follow from. */
export type InterceptConfig = Pick<Config, 'marks' | 'accept' | 'helpers' | 'snat'>;

/** The intercept rules of this process. */
export class Interceptor {
  private readonly nft = new NftIntercept(String(process.pid));
  private readonly exact: InterceptSet;
  /** The same one, unless nft cannot express a mark rule. */
  private atLeast: InterceptSet;
  /** Nft rules or maps are not as wanted, since the last change of them failed. */
  private behind = false;
  private ended = false;
  private readonly guard: GapGuard | undefined;
  /** Devices whose interface is there. */
  private present: readonly string[];

  /** Where answers to health checks come to; undefined: no check goes through the dataplane. */
  answers: () => CheckAnswers | undefined = () => undefined;

  /**
   * Installs empty rules on `devices`, those that are there. `maps`: those of xdp devices. `has`:
   * the host has the address. `services`: the present services. `guarded`: devices that a guard
   * (gap-guard.ts) watches. Throws a DeviceError.
   */
  constructor(
    private readonly devices: readonly string[],
    private readonly maps: InterceptMaps | undefined,
    private config: InterceptConfig,
    private readonly has: (address: string) => boolean,
    private readonly services: () => readonly ServiceRules[],
    private readonly guarded: readonly string[] = [],
  ) {
    if (guarded.length > 0) this.guard = new GapGuard();
    this.exact = new InterceptSet(this.settings(config), false);
    this.atLeast = this.exact;
    this.present = presentOf(devices);
    if (devices.length > 0) this.nft.install(this.present, []);
    else this.showPresence();
    this.guard?.install(presentOf(guarded), []);
  }

  /** By the table, another director sees that this one runs, though it needs no nft rules. */
  private showPresence(): void {
    try {
      this.nft.install([], []);
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
    }
  }

  /** A line for each mark rule whose packets the host's stack sees too. */
  warnings(): string[] {
    if (this.devices.length === 0) return [];
    return inexactMarks(this.config.marks).map(
      ({ text }) => `mark rule "${text}": nft cannot express it, so that the host's stack sees these packets too`,
    );
  }

  /**
   * Puts the rules of these services and of another configuration into force. Throws a DeviceError;
   * then the old rules stay in force.
   */
  configure(services: readonly ServiceRules[], config: InterceptConfig): void {
    try {
      this.replace(services, config);
    } catch (error) {
      this.replace(this.services(), this.config);
      throw error;
    }
    this.config = config;
  }

  /**
   * Follows accepted changes of the rule table. Throws a DeviceError; the next change tries again.
   */
  follow(changes: readonly ChangeRequest[]): void {
    this.exact.follow(changes);
    if (this.atLeast !== this.exact) this.atLeast.follow(changes);
    this.settle();
  }

  /**
   * Installs the nft rules on the interfaces that are there: the kernel has removed the hook of one
   * that is gone. `away`: devices without an interface. Throws a DeviceError.
   */
  followDevices(away: readonly string[]): void {
    this.present = this.devices.filter((name) => !away.includes(name));
    if (this.ended) return;
    if (this.devices.length > 0) this.nft.install(this.present, this.exact.all());
    this.guard?.install(
      this.guarded.filter((name) => !away.includes(name)),
      this.exact.all(),
    );
  }

  /** Call after addresses or MACs of the host have changed. Throws a DeviceError. */
  refresh(): void {
    this.maps?.readMac();
    this.replace(this.services(), this.config);
  }

  /**
   * Installs nft rules again that were removed from outside; true: it did. Rejects with a
   * DeviceError.
   */
  async check(): Promise<boolean> {
    if (this.devices.length === 0) return false;
    const tables = await new Promise<string | undefined>((resolve) => {
      execFile('nft', ['list', 'tables', 'netdev'], (error, out) => resolve(error === null ? out : undefined));
    });
    if (tables === undefined || tables.split('\n').includes(`table ${this.nft.table}`) || this.ended) return false;
    this.nft.install(this.present, this.exact.all());
    return true;
  }

  /** Removes the nft rules. `guarded`: the guard stays until `endGuard`. */
  end(guarded = false): void {
    this.ended = true;
    if (!guarded) this.guard?.end();
    if (this.devices.length > 0 || NftSocket.isAvailable) this.nft.remove();
  }

  endGuard(): void {
    this.guard?.end();
  }

  private settings({ marks, accept, helpers, snat }: InterceptConfig): InterceptSettings {
    const checks = this.answers();
    return { marks, accept, snat, ftp: helpers.ftp, has: this.has, ...(checks && { checks }) };
  }

  private replace(services: readonly ServiceRules[], config: InterceptConfig): void {
    const settings = this.settings(config);
    const isOne = this.maps === undefined || inexactMarks(config.marks).length === 0;
    if (isOne !== (this.atLeast === this.exact)) {
      this.atLeast = isOne ? this.exact : new InterceptSet(settings, true);
      this.behind = true;
    }
    this.exact.replace(services, settings);
    if (!isOne) this.atLeast.replace(services, settings);
    this.settle();
  }

  /** Nft rules and maps follow the sets. */
  private settle(): void {
    const { behind } = this;
    this.behind = true;
    const delta = this.exact.take();
    this.guard?.follow(delta);
    this.settleNft(delta, behind);
    this.settleMaps(this.atLeast === this.exact ? delta : this.atLeast.take(), behind);
    this.behind = false;
  }

  private settleNft(delta: InterceptDelta, behind: boolean): void {
    if (this.devices.length === 0 || (!behind && lengthOf(delta) === 0)) return;
    if (behind) return this.nft.install(this.present, this.exact.all());
    try {
      const { added, removed } = allRules(delta);
      this.nft.change(added, removed);
    } catch {
      this.nft.install(this.present, this.exact.all());
    }
  }

  private settleMaps(delta: InterceptDelta, behind: boolean): void {
    if (this.maps === undefined || (!behind && lengthOf(delta) === 0)) return;
    const simple = behind ? undefined : hostDelta(delta.added, delta.removed);
    if (simple !== undefined) this.maps.change(simple, delta.replies);
    else this.maps.update(this.atLeast.all());
  }
}

function presentOf(devices: readonly string[]): string[] {
  return devices.filter((name) => ifNameToIndex(name) !== 0);
}

/**
 * Removes the nft tables of directors that died. Returns the process ids of other directors that
 * live. The number in the name of a table is a process id.
 */
export function removeOrphans(): number[] {
  const { stdout } = spawnSync('nft', ['list', 'tables', 'netdev'], { encoding: 'utf8' });
  const pids = [...(stdout ?? '').matchAll(/^table netdev ulvs_(\d+)$/gm)].map(([, pid]) => Number(pid));
  removeOldGuards(isDirector);
  for (const pid of pids) if (!isDirector(pid)) new NftIntercept(String(pid)).remove();
  return pids.filter((pid) => pid !== process.pid && isDirector(pid));
}

/** The process is an `ulvs run`. */
export function isDirector(pid: number): boolean {
  return argumentsOf(pid).slice(1).includes('run');
}

/**
 * Keeps the intercept rules in step with services, marks and addresses: nft rules that drop the
 * kernel's copies, and maps of XDP programs. `flush ruleset` of a firewall removes the nft rules;
 * `check` installs them again.
 */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { NftIntercept } from '../../device/intercept/nft.js';
import type { InterceptRule } from '../../device/intercept/rule.js';
import type { InterceptMaps } from '../../device/xdp/intercept-maps.js';
import type { ServiceEntry } from '../api/api.js';
import type { Config } from '../config/config.js';
import { type CheckAnswers, inexactMarks, interceptRules } from './intercept-rules.js';

/** The parts of a configuration that intercept rules follow from. */
export type InterceptConfig = Pick<Config, 'marks' | 'accept' | 'helpers' | 'snat'>;

/** The intercept rules of this process. */
export class Interceptor {
  private readonly nft = new NftIntercept(String(process.pid));
  private inNft: readonly InterceptRule[] = [];
  private inMaps: readonly InterceptRule[] = [];
  private services: readonly ServiceEntry[] = [];
  private ended = false;

  /** Where answers to health checks come to; undefined: no check goes through the dataplane. */
  answers: () => CheckAnswers | undefined = () => undefined;

  /**
   * Installs empty rules on `devices`. `maps`: those of xdp devices. `has`: the host has the
   * address. Throws a DeviceError.
   */
  constructor(
    private readonly devices: readonly string[],
    private readonly maps: readonly InterceptMaps[],
    private config: InterceptConfig,
    private readonly has: (address: string) => boolean,
  ) {
    if (devices.length > 0) this.nft.install(devices, []);
  }

  /** A line for each mark rule whose packets the host's stack sees too. */
  warnings(): string[] {
    if (this.devices.length === 0) return [];
    return inexactMarks(this.config.marks).map(
      ({ text }) => `mark rule "${text}": nft cannot express it, so that the host's stack sees these packets too`,
    );
  }

  /**
   * Puts the rules of these services into force. Throws a DeviceError; then the old rules stay in
   * force.
   */
  update(services: readonly ServiceEntry[], config: InterceptConfig = this.config): void {
    const { marks, accept, helpers, snat } = config;
    const checks = this.answers();
    const input = { services, marks, accept, snat, ftp: helpers.ftp, has: this.has, ...(checks && { checks }) };
    if (this.devices.length > 0) {
      const wanted = interceptRules(input);
      if (JSON.stringify(wanted) !== JSON.stringify(this.inNft)) this.putNft(wanted);
    }
    if (this.maps.length > 0) this.fillMaps(interceptRules(input, true));
    this.config = config;
    this.services = services;
  }

  /** Call after addresses or MACs of the host have changed. Throws a DeviceError. */
  refresh(): void {
    for (const one of this.maps) one.readMac();
    this.update(this.services);
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
    this.nft.install(this.devices, this.inNft);
    return true;
  }

  /** Removes the nft rules. */
  end(): void {
    this.ended = true;
    if (this.devices.length > 0) this.nft.remove();
  }

  private fillMaps(wanted: readonly InterceptRule[]): void {
    if (JSON.stringify(wanted) === JSON.stringify(this.inMaps)) return;
    for (const one of this.maps) one.update(wanted);
    this.inMaps = wanted;
  }

  private putNft(wanted: readonly InterceptRule[]): void {
    try {
      this.nft.update(wanted);
    } catch {
      this.nft.install(this.devices, wanted);
    }
    this.inNft = wanted;
  }
}

/**
 * Removes the nft tables of directors that died. Returns the process ids of other directors that
 * live. The number in the name of a table is a process id.
 */
export function removeOrphans(): number[] {
  const { stdout } = spawnSync('nft', ['list', 'tables', 'netdev'], { encoding: 'utf8' });
  const pids = [...(stdout ?? '').matchAll(/^table netdev ulvs_(\d+)$/gm)].map(([, pid]) => Number(pid));
  for (const pid of pids) if (!isDirector(pid)) new NftIntercept(String(pid)).remove();
  return pids.filter((pid) => pid !== process.pid && isDirector(pid));
}

/** The process is an `ulvs run`. */
export function isDirector(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0run\0');
  } catch {
    return false;
  }
}

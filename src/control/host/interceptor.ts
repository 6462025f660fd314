/**
 * Keeps the nft rules that drop the kernel's copies, and the maps of XDP programs, in step with services, marks and
 * addresses; takes the rules away at the end.
 * A firewall that is loaded anew (`flush ruleset`) takes them away, too: they are put back.
 */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { NftIntercept } from '../../device/intercept/nft.js';
import type { InterceptRule } from '../../device/intercept/rule.js';
import type { InterceptMaps } from '../../device/xdp/intercept-maps.js';
import type { ServiceEntry } from '../api/api.js';
import type { Config } from '../config/config.js';
import { interceptRules, unworded } from './intercept-rules.js';

export type InterceptConfig = Pick<Config, 'marks' | 'accept' | 'helpers' | 'snat'>;

export class Interceptor {
  private readonly steal = new NftIntercept(String(process.pid));
  private current: readonly InterceptRule[] = [];
  private inMaps: readonly InterceptRule[] = [];
  private services: readonly ServiceEntry[] = [];
  private ended = false;

  /** Installs the (still empty) rules on the devices; `maps`: those of xdp devices. Throws a DeviceError. */
  constructor(
    private readonly devices: readonly string[],
    private readonly maps: readonly InterceptMaps[],
    private config: InterceptConfig,
    private readonly has: (address: string) => boolean,
  ) {
    if (devices.length > 0) this.steal.install(devices, []);
  }

  /** Mark rules whose packets the kernel goes on seeing, one line each. */
  warnings(): string[] {
    if (this.devices.length === 0) return [];
    return unworded(this.config.marks).map(
      ({ text }) => `mark rule "${text}": nft cannot say the same, so the kernel's stack sees these packets too`,
    );
  }

  /** The rules in force are those of these services. Throws a DeviceError; the old ones are in force then. */
  update(services: readonly ServiceEntry[], config: InterceptConfig = this.config): void {
    const { marks, accept, helpers, snat } = config;
    const input = { services, marks, accept, snat, ftp: helpers.ftp, has: this.has };
    if (this.devices.length > 0) {
      const wanted = interceptRules(input);
      if (JSON.stringify(wanted) !== JSON.stringify(this.current)) this.put(wanted);
    }
    if (this.maps.length > 0) this.fillMaps(interceptRules(input, true));
    this.config = config;
    this.services = services;
  }

  /** Addresses or MACs of the host have changed: a VIP that it has is shared with it. */
  refresh(): void {
    for (const one of this.maps) one.readMac();
    this.update(this.services);
  }

  /** Puts the rules back if they are not there any more: true then. Rejects with a DeviceError. */
  async check(): Promise<boolean> {
    if (this.devices.length === 0) return false;
    const tables = await new Promise<string | undefined>((resolve) => {
      execFile('nft', ['list', 'tables', 'netdev'], (error, out) => resolve(error === null ? out : undefined));
    });
    if (tables === undefined || tables.split('\n').includes(`table ${this.steal.table}`) || this.ended) return false;
    this.steal.install(this.devices, this.current);
    return true;
  }

  end(): void {
    this.ended = true;
    if (this.devices.length > 0) this.steal.remove();
  }

  private fillMaps(wanted: readonly InterceptRule[]): void {
    if (JSON.stringify(wanted) === JSON.stringify(this.inMaps)) return;
    for (const one of this.maps) one.update(wanted);
    this.inMaps = wanted;
  }

  private put(wanted: readonly InterceptRule[]): void {
    try {
      this.steal.update(wanted);
    } catch {
      this.steal.install(this.devices, wanted);
    }
    this.current = wanted;
  }
}

/**
 * Takes away the tables of directors that died without doing so; returns the process ids of those that live. The number in the
 * name is the process that made it.
 */
export function removeOrphans(): number[] {
  const { stdout } = spawnSync('nft', ['list', 'tables', 'netdev'], { encoding: 'utf8' });
  const pids = [...(stdout ?? '').matchAll(/^table netdev ulvs_(\d+)$/gm)].map(([, pid]) => Number(pid));
  for (const pid of pids) if (!isDirector(pid)) new NftIntercept(String(pid)).remove();
  return pids.filter((pid) => pid !== process.pid && isDirector(pid));
}

/** Whether the process is an `ulvs run`. */
export function isDirector(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0run\0');
  } catch {
    return false;
  }
}

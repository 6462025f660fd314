/** Keeps the nft rules that drop the kernel's copies in step with services, marks and addresses; takes them away at the end. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Steal } from '../device/steal.js';
import type { TakeRule } from '../device/take-rule.js';
import type { ServiceEntry } from './admin.js';
import type { Config } from './config.js';
import { takeRules, unworded } from './take.js';

export class Theft {
  private readonly steal = new Steal(String(process.pid));
  private current: TakeRule[] = [];
  private services: readonly ServiceEntry[] = [];

  /** Installs the (still empty) rules on the devices. Throws a DeviceError. */
  constructor(
    devices: readonly string[],
    private config: Config,
    private readonly has: (address: string) => boolean,
  ) {
    removeOrphans();
    this.steal.install(devices, []);
  }

  /** Mark rules whose packets the kernel goes on seeing, one line each. */
  warnings(): string[] {
    return unworded(this.config.marks).map(
      ({ text }) => `mark rule "${text}": nft cannot say the same, so the kernel's stack sees these packets too`,
    );
  }

  configure(config: Config): void {
    this.config = config;
    this.update(this.services);
  }

  update(services: readonly ServiceEntry[]): void {
    this.services = services;
    const { marks, accept, helpers } = this.config;
    const wanted = takeRules({ services, marks, accept, ftp: helpers.ftp, has: this.has });
    if (JSON.stringify(wanted) === JSON.stringify(this.current)) return;
    this.steal.update(wanted);
    this.current = wanted;
  }

  end(): void {
    this.steal.remove();
  }
}

/** Tables of directors that died without taking them away. The number in the name is the process that made it. */
function removeOrphans(): void {
  const { stdout } = spawnSync('nft', ['list', 'tables', 'netdev'], { encoding: 'utf8' });
  for (const [, pid] of (stdout ?? '').matchAll(/^table netdev ulvs_(\d+)$/gm))
    if (!isDirector(Number(pid))) new Steal(pid!).remove();
}

function isDirector(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0run');
  } catch {
    return false;
  }
}

/**
 * Keeps the kernel's hands off what the director takes on packet devices. A packet socket only gets a copy; the kernel's
 * own would be answered (a RST, an ICMP error) or forwarded past us. So it is dropped at ingress, behind the packet socket:
 *
 *     wire ─> packet socket (the director's copy) ─> nft ingress ─ taken? ─ drop, count
 *                                                        └─ else ─> the kernel's stack
 *
 *     table netdev ulvs_<name>
 *       chain on0, on1 …   a hook on each device, jumps to
 *       chain take         one rule for each InterceptRule
 */
import { spawnSync } from 'node:child_process';
import { ifNameToIndex } from '../../sys/libc.js';
import { DeviceError } from '../error.js';
import { quoted, ruleText } from './nft-text.js';
import type { InterceptRule } from './rule.js';

/** Before every other ingress hook, so that no firewall counts or answers what is the director's. */
const PRIORITY = -500;

export interface NftInterceptCount {
  rule: InterceptRule;
  packets: number;
  bytes: number;
}

export class NftIntercept {
  readonly table: string;
  private rules: readonly InterceptRule[] = [];

  /** `name` tells this director's table from another's in the same namespace: letters, digits and _. */
  constructor(name: string) {
    this.table = `netdev ulvs_${name.replace(/\W/g, '_')}`;
  }

  /** Puts the rules on these devices, in place of whatever a crashed run left. One transaction: all of it or nothing. */
  install(devices: readonly string[], take: readonly InterceptRule[]): void {
    devices.forEach(mustExist);
    const chains = devices.map(
      (device, i) => `  chain on${i} {
    type filter hook ingress device ${quoted(device)} priority ${PRIORITY}; policy accept;
    jump take
  }`,
    );
    const body = take.map((rule) => `    ${ruleText(rule)}`);
    transaction([
      `table ${this.table} {}`,
      `delete table ${this.table}`,
      `table ${this.table} {`,
      '  chain take {',
      ...body,
      '  }',
      ...chains,
      '}',
    ]);
    this.rules = [...take];
  }

  /**
   * Other rules on the same devices, with no moment in between. Where rules only come (one service after the other is
   * added), those that are there stay with their counters; else all counters start again.
   */
  update(take: readonly InterceptRule[]): void {
    const there = new Set(this.rules.map((rule) => JSON.stringify(rule)));
    const added = take.filter((rule) => !there.has(JSON.stringify(rule)));
    const onlyMore = take.length - added.length === there.size;
    const lines = (onlyMore ? added : take).map((rule) => `add rule ${this.table} take ${ruleText(rule)}`);
    transaction(onlyMore ? lines : [`flush chain ${this.table} take`, ...lines]);
    this.rules = onlyMore ? [...this.rules, ...added] : [...take];
  }

  /** What each rule has dropped since it was put there. */
  counts(): NftInterceptCount[] {
    const listing: unknown = JSON.parse(nft(['-j', 'list', 'chain', ...this.table.split(' '), 'take']));
    const found = counters(listing);
    return this.rules.map((rule, i) => ({ rule, packets: found[i]?.packets ?? 0, bytes: found[i]?.bytes ?? 0 }));
  }

  /** Takes everything away; no error when nothing is there. */
  remove(): void {
    transaction([`table ${this.table} {}`, `delete table ${this.table}`]);
    this.rules = [];
  }
}

interface Counter {
  packets: number;
  bytes: number;
}

/** The counters in nft's JSON, in the order of the rules. */
function counters(listing: unknown): Counter[] {
  const { nftables } = listing as { nftables: { rule?: { expr: { counter?: Counter }[] } }[] };
  return nftables.flatMap(({ rule }) => rule?.expr.flatMap(({ counter }) => (counter ? [counter] : [])) ?? []);
}

/** Newer kernels take a hook on a device that is not there yet, and then silently do nothing. */
function mustExist(device: string): void {
  if (ifNameToIndex(device) === 0)
    throw new DeviceError(device, 'no such network interface', "'ip link' lists those there are");
}

/** One transaction: all the lines or none. */
function transaction(lines: string[]): void {
  nft(['-f', '-'], `${lines.join('\n')}\n`);
}

/** Runs nft. Throws a DeviceError with its own first line. */
function nft(args: string[], input = ''): string {
  const run = spawnSync('nft', args, { input, encoding: 'utf8' });
  if (run.status === 0) return run.stdout;
  if (run.status === null) throw new DeviceError('nft', run.error?.message ?? 'killed', "'apt install nftables'");
  if (/not permitted/.test(run.stderr))
    throw new DeviceError('nft', 'not permitted', 'run as root or with CAP_NET_ADMIN');
  throw new DeviceError('nft', (run.stderr.split('\n')[0] ?? '').replace(/^\S*stdin:[\d:-]+ /, ''));
}

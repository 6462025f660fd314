/**
 * NftIntercept: keeps intercepted packets from the stack of the host, for devices that get copies.
 * The stack would answer its own packet (a RST, an ICMP error) or forward it past the director. So
 * an nft rule drops it at ingress, behind the packet socket:
 *
 *     wire ─> packet socket (the director's copy) ─> nft ingress ─ rule matches? ─ drop, count
 *                                                        └─ else ─> the stack
 *
 *     table netdev ulvs_<name>
 *       flags owner        the kernel removes the table when this process ends, however it ends
 *       chain on0, on1 …   a hook on each device, which jumps to
 *       chain intercept    one rule for each InterceptRule
 *
 * Without libnftables, or before Linux 5.12, the table has no owner: a killed director leaves it
 * behind, and it swallows the packets of its VIPs until the next director removes it.
 */
import { spawnSync } from 'node:child_process';
import { ifNameToIndex } from '../../sys/libc.js';
import { NftSocket } from '../../sys/nftables.js';
import { DeviceError } from '../error.js';
import { quoted, ruleText } from './nft-text.js';
import type { InterceptRule } from './rule.js';

/**
 * Before all other ingress hooks, so that no firewall counts or answers a packet of the director.
 */
const PRIORITY = -500;
const CHAIN = 'intercept';
const OWNER = ' flags owner;';

export interface NftInterceptCount {
  rule: InterceptRule;
  packets: number;
  bytes: number;
}

export class NftIntercept {
  readonly table: string;
  private rules: readonly InterceptRule[] = [];
  private readonly socket = NftSocket.isAvailable ? new NftSocket() : undefined;
  /** The kernel knows `flags owner`, and the table shall end with this process. */
  private owns: boolean;

  /**
   * `name` is a part of the table's name: letters, digits and _; it tells two directors of one
   * namespace apart. `kept`: the table stays when this process is killed, behind those of others.
   */
  constructor(
    name: string,
    private readonly kept = false,
  ) {
    this.owns = this.socket !== undefined && !kept;
    this.table = `netdev ulvs_${name.replace(/\W/g, '_')}`;
  }

  /** A table that a killed director leaves behind on purpose. */
  static kept(name: string): NftIntercept {
    return new NftIntercept(name, true);
  }

  /**
   * Installs the rules on these devices, and removes what a crashed run has left. It is one
   * transaction: all or nothing. Throws a DeviceError.
   */
  install(devices: readonly string[], rules: readonly InterceptRule[]): void {
    devices.forEach(mustExist);
    const chains = devices.map(
      (device, i) => `  chain on${i} {
    type filter hook ingress device ${quoted(device)} priority ${PRIORITY + (this.kept ? 1 : 0)}; policy accept;
    jump ${CHAIN}
  }`,
    );
    const body = rules.map((rule) => `    ${ruleText(rule)}`);
    const lines = (owner: string) => [
      `table ${this.table} {${owner}}`,
      `delete table ${this.table}`,
      `table ${this.table} {${owner}`,
      `  chain ${CHAIN} {`,
      ...body,
      '  }',
      ...chains,
      '}',
    ];
    if (this.owns) this.owns = this.installOwned(lines(OWNER));
    if (!this.owns) this.transaction(lines(''));
    this.rules = [...rules];
  }

  /** Returns false when the kernel does not know owners. Removes a table that has none. */
  private installOwned(lines: readonly string[]): boolean {
    const { socket } = this;
    if (socket!.run(lines) === '') return true;
    return socket!.run(this.removal) === '' && socket!.run(lines) === '';
  }

  private get removal(): string[] {
    return [`table ${this.table} {}`, `delete table ${this.table}`];
  }

  /**
   * Replaces the rules in one transaction. If rules are only added, the others keep their counters;
   * else all counters begin at 0. Throws a DeviceError.
   */
  update(rules: readonly InterceptRule[]): void {
    const there = new Set(this.rules.map((rule) => JSON.stringify(rule)));
    const added = rules.filter((rule) => !there.has(JSON.stringify(rule)));
    const onlyMore = rules.length - added.length === there.size;
    const lines = (onlyMore ? added : rules).map((rule) => `add rule ${this.table} ${CHAIN} ${ruleText(rule)}`);
    this.transaction(onlyMore ? lines : [`flush chain ${this.table} ${CHAIN}`, ...lines]);
    this.rules = onlyMore ? [...this.rules, ...added] : [...rules];
  }

  /**
   * Adds and removes rules in one transaction. Rules that stay keep their counters, unless one is
   * removed. Throws a DeviceError.
   */
  change(added: readonly InterceptRule[], removed: readonly InterceptRule[]): void {
    const gone = new Set(removed.map((rule) => JSON.stringify(rule)));
    const stay = gone.size === 0 ? this.rules : this.rules.filter((rule) => !gone.has(JSON.stringify(rule)));
    const anew = gone.size === 0 ? added : [...stay, ...added];
    const lines = anew.map((rule) => `add rule ${this.table} ${CHAIN} ${ruleText(rule)}`);
    this.transaction(gone.size === 0 ? lines : [`flush chain ${this.table} ${CHAIN}`, ...lines]);
    this.rules = [...stay, ...added];
  }

  /** What each rule has dropped since it was installed. Throws a DeviceError. */
  counts(): NftInterceptCount[] {
    const listing: unknown = JSON.parse(nft(['-j', 'list', 'chain', ...this.table.split(' '), CHAIN]));
    const found = counters(listing);
    return this.rules.map((rule, i) => ({ rule, packets: found[i]?.packets ?? 0, bytes: found[i]?.bytes ?? 0 }));
  }

  /** Removes the table; no error when there is none. Throws a DeviceError when nft fails. */
  remove(): void {
    if (!this.owns) this.transaction(this.removal);
    this.socket?.close();
    this.rules = [];
  }

  /** Runs the lines as one transaction: all or none. Throws a DeviceError. */
  private transaction(lines: readonly string[]): void {
    if (this.socket === undefined) nft(['-f', '-'], `${lines.join('\n')}\n`);
    else refuse(this.socket.run(lines));
  }
}

interface Counter {
  packets: number;
  bytes: number;
}

/** The counters of `nft -j list chain`, in the order of the rules. */
function counters(listing: unknown): Counter[] {
  const { nftables } = listing as { nftables: { rule?: { expr: { counter?: Counter }[] } }[] };
  return nftables.flatMap(({ rule }) => rule?.expr.flatMap(({ counter }) => (counter ? [counter] : [])) ?? []);
}

/** Newer kernels accept a hook on a device that does not exist, and the hook does nothing. */
function mustExist(device: string): void {
  if (ifNameToIndex(device) === 0)
    throw new DeviceError(device, 'no such network interface', "'ip link' lists the interfaces");
}

/** Runs nft and returns its output. Throws a DeviceError with the first line of nft's error. */
function nft(args: string[], input = ''): string {
  const run = spawnSync('nft', args, { input, encoding: 'utf8' });
  if (run.status === 0) return run.stdout;
  if (run.status === null) throw new DeviceError('nft', run.error?.message ?? 'killed', "'apt install nftables'");
  refuse((run.stderr.split('\n')[0] ?? '').replace(/^\S*stdin:[\d:-]+ /, '') || 'failed');
  return '';
}

/** Throws a DeviceError unless the error of nft is ''. */
function refuse(error: string): void {
  if (error === '') return;
  if (/not permitted/.test(error)) throw new DeviceError('nft', 'not permitted', 'run as root or with CAP_NET_ADMIN');
  throw new DeviceError('nft', error);
}

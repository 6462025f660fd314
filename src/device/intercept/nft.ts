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
 *       set saddr4, …      rules about single addresses (nft-sets.ts)
 *       chain intercept    one rule for each set, and for each rule that is no element of one
 *
 * Without libnftables, or before Linux 5.12, the table has no owner: a killed director leaves it
 * behind, and it swallows the packets of its VIPs until the next director removes it.
 */
import { spawnSync } from 'node:child_process';
import { ifNameToIndex } from '../../sys/libc.js';
import { NftSocket } from '../../sys/nftables.js';
import { DeviceError } from '../error.js';
import { elementLines, elementOf, type NftElement, SET_LINES, SET_RULES } from './nft-sets.js';
import { quoted, ruleText } from './nft-text.js';
import type { InterceptRule } from './rule.js';

/**
 * Before all other ingress hooks, so that no firewall counts or answers a packet of the director.
 */
const PRIORITY = -500;
const CHAIN = 'intercept';
const OWNER = ' flags owner;';

/** Rules in the two forms that they have in a table. */
interface Split {
  readonly elements: readonly NftElement[];
  readonly others: readonly InterceptRule[];
}

export class NftIntercept {
  readonly table: string;
  /** Rules that are no elements, in the order of the chain. */
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
    const { elements, others } = split(rules);
    // A table that only shows that a director runs is empty.
    const isUsed = devices.length + rules.length > 0;
    const lines = (owner: string) => [
      `table ${this.table} {${owner}}`,
      `delete table ${this.table}`,
      `table ${this.table} {${owner}`,
      ...(isUsed ? SET_LINES : []),
      `  chain ${CHAIN} {`,
      ...[...(isUsed ? SET_RULES : []), ...others.map(ruleText)].map((line) => `    ${line}`),
      '  }',
      ...chains,
      '}',
      ...elementLines('add', this.table, elements),
    ];
    if (this.owns) this.owns = this.installOwned(lines(OWNER));
    if (!this.owns) this.transaction(lines(''));
    this.rules = others;
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
   * Adds and removes rules in one transaction. What it costs depends on their number alone. All
   * counters of the chain begin at 0 when a rule that is no element goes. Throws a DeviceError.
   */
  change(added: readonly InterceptRule[], removed: readonly InterceptRule[]): void {
    const came = split(added);
    const went = split(removed);
    const gone = new Set(went.others.map((rule) => JSON.stringify(rule)));
    const stay = gone.size === 0 ? this.rules : this.rules.filter((rule) => !gone.has(JSON.stringify(rule)));
    const anew =
      gone.size === 0 ? came.others.map(ruleText) : [...SET_RULES, ...[...stay, ...came.others].map(ruleText)];
    const lines = [
      ...(gone.size === 0 ? [] : [`flush chain ${this.table} ${CHAIN}`]),
      ...anew.map((line) => `add rule ${this.table} ${CHAIN} ${line}`),
      ...elementLines('add', this.table, came.elements),
      ...elementLines('delete', this.table, went.elements),
    ];
    if (lines.length > 0) this.transaction(lines);
    this.rules = [...stay, ...came.others];
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

function split(rules: readonly InterceptRule[]): Split {
  const elements: NftElement[] = [];
  const others: InterceptRule[] = [];
  for (const rule of rules) {
    const element = elementOf(rule);
    if (element === undefined) others.push(rule);
    else elements.push(element);
  }
  return { elements, others };
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

/**
 * Masq destinations on the director's own machine. Their packets reach the host by the TUN. The
 * host would send the replies by its own routes, past the director, and the client would see an
 * address that it never asked. Policy rules therefore route what the port of the destination sends
 * into the TUN too:
 *
 *     client ─► device ─► director ─► ulvsN ─► RIP:8080 on this host
 *     client ◄─ device ◄─ director ◄─ ulvsN ◄─ ip rule: from RIP ipproto tcp sport 8080 lookup T,  T: default dev ulvsN
 *
 * The director forwards what turns out to be no reply. When the director dies, ulvsN is gone and
 * table T is empty, so that the rules have no effect.
 */

import { spawnSync } from 'node:child_process';
import type { Rule } from '../../netlink/rule.js';
import { isFwmark, type ServiceRules } from '../../service/config.js';
import { isIPv6 } from '../../wire/address.js';
import { isDirector } from './interceptor.js';

/** The number of table T is this plus the process id. */
const TABLES = 1_970_000_000;
const MOST_PIDS = 2 ** 22;
/** Priority of the rules: after the local table (0), before usual policy rules. */
const PRIORITY = 10;
const NAMES: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };
const LOOPBACK = /^127\.|^::1$/;

/** The replies of one destination. */
interface Reply {
  readonly rip: string;
  readonly protocol: number;
  readonly port: number;
}

/** What is known of the host's network. */
export interface HostNetwork {
  /** An interface of the host has the address. */
  has(address: string): boolean;
  readonly rules: readonly Rule[];
}

/** Runs lines of `ip -batch`. Returns '' or why they failed. */
export type IpBatch = (family: '-4' | '-6', lines: readonly string[]) => string;

/** The policy rules of this process. */
export class LocalReplies {
  private readonly table = TABLES + process.pid;
  private services: readonly ServiceRules[] = [];
  /** Rules added by this process; the network reports them a little later. */
  private readonly added = new Map<string, Reply>();
  private warned = '';

  /**
   * `tun`: interface into the host's stack. `warn` gets one line about what cannot be done. `batch`
   * replaces the command ip, for tests. Removes rules of dead directors.
   */
  constructor(
    private readonly tun: string,
    private readonly network: HostNetwork,
    private readonly warn: (message: string) => void,
    private readonly batch: IpBatch = ipBatch,
  ) {
    for (const rule of network.rules)
      if (isOurs(rule) && rule.table !== this.table && !isDirector(rule.table - TABLES))
        this.remove(replyOf(rule), rule.table);
  }

  /** There is no destination on this machine. */
  get isEmpty(): boolean {
    return this.added.size === 0;
  }

  /** Puts the rules of these services into force. */
  update(services: readonly ServiceRules[]): void {
    this.services = services;
    this.refresh();
  }

  /** Call after addresses or rules of the host have changed. */
  refresh(): void {
    const wanted = byText(this.services.flatMap((service) => this.repliesOf(service)));
    if (wanted.size + this.added.size === 0) return;
    const present = byText(this.network.rules.filter(({ table }) => table === this.table).map(replyOf));
    for (const [text, reply] of new Map([...present, ...this.added]))
      if (!wanted.has(text)) this.remove(reply, this.table);
    for (const [text, reply] of wanted) if (!present.has(text)) this.add(reply);
  }

  /** Removes the rules. */
  end(): void {
    this.update([]);
  }

  private repliesOf({ key, destinations }: ServiceRules): Reply[] {
    const local = destinations.filter(({ address, method }) => method === 'masq' && this.isLocal(address));
    for (const { address, port } of local)
      if (port === 0) this.warnOnce(`masq destination ${address} is an address of this machine: it needs a port`);
    const protocols = isFwmark(key) ? Object.keys(NAMES).map(Number) : [key.protocol];
    return local
      .filter(({ port }) => port !== 0)
      .flatMap(({ address, port }) => protocols.map((protocol) => ({ rip: address, protocol, port })));
  }

  private isLocal(address: string): boolean {
    return this.network.has(address) && !LOOPBACK.test(address);
  }

  private add(reply: Reply): void {
    const { table, tun } = this;
    this.added.set(ruleText(reply), reply);
    this.ip(reply, [`route replace default dev ${tun} table ${table}`, `rule add ${ruleText(reply)} table ${table}`]);
  }

  private remove(reply: Reply, table: number): void {
    this.added.delete(ruleText(reply));
    this.ip(reply, [`rule del ${ruleText(reply)} table ${table}`]);
  }

  private ip({ rip }: Reply, lines: readonly string[]): void {
    const why = this.batch(isIPv6(rip) ? '-6' : '-4', lines);
    // The rule exists already, or is gone: the network reports it a little later.
    if (why === '' || /File exists|No such (file|process)/.test(why)) return;
    this.warnOnce(`replies of masq destinations on this machine do not pass the director: ip ${lines.at(-1)}: ${why}`);
  }

  /** Warns once, not with every change of the network. */
  private warnOnce(message: string): void {
    if (message !== this.warned) this.warn(message);
    this.warned = message;
  }
}

/** Runs the command ip. */
export function ipBatch(family: '-4' | '-6', lines: readonly string[]): string {
  const input = `${lines.join('\n')}\n`;
  const { status, stderr, error } = spawnSync('ip', [family, '-batch', '-'], { input, encoding: 'utf8' });
  return status === 0 ? '' : (error?.message ?? stderr.trim().split('\n')[0]!);
}

function ruleText({ rip, protocol, port }: Reply): string {
  return `priority ${PRIORITY} from ${rip} ipproto ${NAMES[protocol]} sport ${port}`;
}

function byText(replies: readonly Reply[]): Map<string, Reply> {
  return new Map(replies.map((reply) => [ruleText(reply), reply]));
}

function isOurs({ table, priority }: Rule): boolean {
  return priority === PRIORITY && table > TABLES && table <= TABLES + MOST_PIDS;
}

function replyOf({ src = '', ipProto = 0, sport = [0, 0] }: Rule): Reply {
  return { rip: src.split('/')[0]!, protocol: ipProto, port: sport[0] };
}

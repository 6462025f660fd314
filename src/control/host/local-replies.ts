/**
 * A masq destination may be an address of this very machine. Its packets go in by the TUN, but the host would answer by its own
 * routes, past the director, and the client would hear of an address it never asked. So what the destination's port
 * says is routed into the TUN, too:
 *
 *     client ─► device ─► director ─► ulvsN ─► RIP:8080 on this host
 *     client ◄─ device ◄─ director ◄─ ulvsN ◄─ ip rule: from RIP ipproto tcp sport 8080 lookup T,  T: default dev ulvsN
 *
 * The director forwards what turns out to be nobody's reply. When it dies, so does ulvsN, and T is empty: the rules do nothing.
 */

import { spawnSync } from 'node:child_process';
import type { Rule } from '../../netlink/rule.js';
import { isFwmark } from '../../service/config.js';
import { isIPv6 } from '../../wire/address.js';
import type { ServiceEntry } from '../api/api.js';
import { isDirector } from './interceptor.js';

/** Numbers of tables: this and the process id. */
const TABLES = 1_970_000_000;
const MOST_PIDS = 2 ** 22;
/** Behind the local table (0), before anybody's policy. */
const PRIORITY = 10;
const NAMES: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };
const LOOPBACK = /^127\.|^::1$/;

/** What replies of one destination look like. */
interface Reply {
  readonly rip: string;
  readonly protocol: number;
  readonly port: number;
}

export interface HostNetwork {
  /** Whether an interface of the host has the address. */
  has(address: string): boolean;
  readonly rules: readonly Rule[];
}

export class LocalReplies {
  private readonly table = TABLES + process.pid;
  private services: readonly ServiceEntry[] = [];
  /** What was put there; the network's word on it comes a little later. */
  private readonly placed = new Map<string, Reply>();
  private warned = '';

  /** `tun`: the way into the host. `warn` is told of what cannot be done, one line. */
  constructor(
    private readonly tun: string,
    private readonly network: HostNetwork,
    private readonly warn: (message: string) => void,
  ) {
    for (const rule of network.rules)
      if (isOurs(rule) && rule.table !== this.table && !isDirector(rule.table - TABLES))
        this.drop(replyOf(rule), rule.table);
  }

  update(services: readonly ServiceEntry[]): void {
    this.services = services;
    this.refresh();
  }

  /** Addresses or rules of the host have changed: somebody may have taken ours away. */
  refresh(): void {
    const wanted = byWords(this.services.flatMap((service) => this.repliesOf(service)));
    if (wanted.size + this.placed.size === 0) return;
    const there = byWords(this.network.rules.filter(({ table }) => table === this.table).map(replyOf));
    for (const [text, reply] of new Map([...there, ...this.placed]))
      if (!wanted.has(text)) this.drop(reply, this.table);
    for (const [text, reply] of wanted) if (!there.has(text)) this.add(reply);
  }

  end(): void {
    this.update([]);
  }

  private repliesOf({ key, destinations }: ServiceEntry): Reply[] {
    const local = destinations.filter(({ address, method }) => method === 'masq' && this.isLocal(address));
    for (const { address, port } of local)
      if (port === 0) this.tell(`${address} is this machine's own address: a masq destination there needs a port`);
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
    this.placed.set(words(reply), reply);
    this.ip(reply, [`route replace default dev ${tun} table ${table}`, `rule add ${words(reply)} table ${table}`]);
  }

  private drop(reply: Reply, table: number): void {
    this.placed.delete(words(reply));
    this.ip(reply, [`rule del ${words(reply)} table ${table}`]);
  }

  private ip({ rip }: Reply, lines: readonly string[]): void {
    const family = isIPv6(rip) ? '-6' : '-4';
    const input = `${lines.join('\n')}\n`;
    const { status, stderr, error } = spawnSync('ip', [family, '-batch', '-'], { input, encoding: 'utf8' });
    // It is there already, or gone: the network's word on that comes a little later.
    if (status === 0 || /File exists|No such (file|process)/.test(stderr ?? '')) return;
    const why = error?.message ?? stderr.trim().split('\n')[0];
    this.tell(`replies of masq destinations on this machine do not pass the director: ip ${lines.at(-1)}: ${why}`);
  }

  /** Once, not with every change of the network. */
  private tell(message: string): void {
    if (message !== this.warned) this.warn(message);
    this.warned = message;
  }
}

function words({ rip, protocol, port }: Reply): string {
  return `priority ${PRIORITY} from ${rip} ipproto ${NAMES[protocol]} sport ${port}`;
}

function byWords(replies: readonly Reply[]): Map<string, Reply> {
  return new Map(replies.map((reply) => [words(reply), reply]));
}

function isOurs({ table, priority }: Rule): boolean {
  return priority === PRIORITY && table > TABLES && table <= TABLES + MOST_PIDS;
}

function replyOf({ src = '', ipProto = 0, sport = [0, 0] }: Rule): Reply {
  return { rip: src.split('/')[0]!, protocol: ipProto, port: sport[0] };
}

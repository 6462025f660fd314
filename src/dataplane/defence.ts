/**
 * The defence strategies of IPVS (update_defense_level; docs/ipvs-reference.md section 14), checked
 * once a second. drop_packet drops every n-th new connection, drop_entry ends half-open and idle
 * connections, secure_tcp uses another TCP table. Modes: 0 off, 1 automatic and now off, 2
 * automatic and now on, 3 always. "Memory is short" means here: the free room of the connection
 * table, in pages of 4,096 bytes, is below amemthresh.
 */

import type { Connections } from '../conntrack/connections.js';
import {
  CONN_ASSURED,
  CONN_HASHED,
  CONN_REVERSE,
  CONN_SYNPROXY,
  CONN_TEMPLATE,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  EXPIRES,
  FLAGS,
  PACKETS,
  TICKS,
  TIMEOUT,
} from '../conntrack/entry.js';
import { Sctp } from '../conntrack/sctp.js';
import { Tcp } from '../conntrack/tcp.js';
import type { Sysctls } from '../service/sysctl.js';
import * as ipv4 from '../wire/ipv4.js';
import type { Random } from './table/random.js';

const EVERY = 1000;
const LINES_A_PAGE = 64;
/** drop_entry examines this part of the table each second. */
const SHARE = 32;
/**
 * Limit of entries examined in one call. The rest of the share waits for the next call, so that the
 * pause does not grow with the table.
 */
const BUDGET = 1024;
const IDLE = 60 * TICKS;

/** The fields of a director that the strategies read and change. */
export interface Defended {
  /** Time, ms. */
  readonly now: number;
  readonly connections: Connections;
  readonly sysctl: Sysctls;
  readonly random: Random;
}

export class Defence {
  /** drop_packet: one in so many new connections is dropped. 0: none. */
  rate = 0;
  private counter = 0;
  private dropping = false;
  private left = 0;
  private next = 0;

  constructor(private readonly d: Defended) {}

  /** Returns true for a new connection that drop_packet drops (ip_vs_todrop). */
  drops(): boolean {
    if (this.rate === 0 || --this.counter > 0) return false;
    this.counter = this.rate;
    return true;
  }

  tick(): void {
    const { now } = this.d;
    if (now >= this.next) {
      this.next = now + EVERY;
      this.update();
    }
    if (this.left > 0) this.thin(Math.min(this.left, BUDGET));
  }

  private update(): void {
    const { table } = this.d.connections;
    const { amemthresh } = this.d.sysctl;
    const room = Math.floor((table.maxEntries - table.live) / LINES_A_PAGE);
    const short = room < amemthresh;
    this.dropping = this.isOn('drop_entry', short);
    this.left = this.dropping ? Math.ceil(table.highWater / SHARE) : 0;
    this.setRate(short, amemthresh, room);
    this.d.connections.states.secureTcp = this.isOn('secure_tcp', short);
  }

  private setRate(short: boolean, amemthresh: number, room: number): void {
    const mode = this.d.sysctl.drop_packet;
    if (mode === 3) this.rate = this.d.sysctl.am_droprate;
    else if (!this.isOn('drop_packet', short)) this.rate = 0;
    else this.counter = this.rate = Math.floor(amemthresh / (amemthresh - room));
  }

  /** Automatic modes switch between 1 and 2, as in the kernel. */
  private isOn(name: 'drop_entry' | 'drop_packet' | 'secure_tcp', short: boolean): boolean {
    const mode = this.d.sysctl[name];
    if (mode === 1 || mode === 2) this.d.sysctl[name] = short ? 2 : 1;
    return mode === 3 || (mode !== 0 && short);
  }

  /** ip_vs_random_dropentry, over entries instead of buckets. */
  private thin(n: number): void {
    const { connections } = this.d;
    this.left -= n;
    for (let i = 0; i < n; i++) {
      const entry = 1 + this.d.random.below(connections.table.highWater);
      if (this.isDispensable(entry)) connections.remove(entry);
    }
  }

  private isDispensable(entry: number): boolean {
    const { connections } = this.d;
    const at = entry << ENTRY_SHIFT;
    const flags = connections.words[at + FLAGS]!;
    if ((flags & (CONN_HASHED | CONN_REVERSE)) !== CONN_HASHED || connections.childrenOf(entry) !== 0) return false;
    if ((flags & CONN_TEMPLATE) !== 0) return (flags & CONN_ASSURED) === 0;
    const state = connections.words[at + DPORT_PROTO_STATE]! & 0xff;
    const protocol = connections.protocolOf(entry);
    if (protocol === ipv4.TCP && (state === Tcp.SYN_RECV || state === Tcp.SYNACK)) return (flags & CONN_SYNPROXY) === 0;
    if (protocol === ipv4.SCTP && (state === Sctp.INIT1 || state === Sctp.INIT)) return true;
    const lasting = protocol === ipv4.UDP || state === (protocol === ipv4.TCP ? Tcp.ESTABLISHED : Sctp.ESTABLISHED);
    return lasting && this.isIdle(at);
  }

  /**
   * todrop_entry: idle for a minute, few packets, and then by chance, one in as many as it had
   * packets.
   */
  private isIdle(at: number): boolean {
    const { words, now } = this.d.connections;
    this.d.connections.refresh(at >> ENTRY_SHIFT);
    const since = words[at + TIMEOUT]! - ((words[at + EXPIRES]! - now) | 0);
    const packets = words[at + PACKETS]!;
    return since >= IDLE && packets >= 1 && packets <= 8 && this.d.random.below(packets) === 0;
  }
}

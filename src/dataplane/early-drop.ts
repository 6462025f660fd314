/**
 * Room for a new connection when the table is full: a connection that its client has not confirmed
 * gives its place, as nf_conntrack's early drop (nf_conntrack_core.c: early_drop). IPVS has no such
 * thing, because its table has no limit but memory. sysctl early_drop 0 turns it off.
 *
 *     entries  | half-open | established | half-open | one packet | …
 *                   ▲ hand ──────────────────► the next unconfirmed entry ends
 *
 * The hand goes round the table, so that the entry that waited longest ends first. In a flood each
 * new connection takes one place: a client has (lines / rate) seconds to confirm.
 */
import type { Connections } from '../conntrack/connections.js';
import {
  CONN_HASHED,
  CONN_REVERSE,
  CONN_SYNPROXY,
  CONN_TEMPLATE,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  PACKETS,
} from '../conntrack/entry.js';
import { Sctp } from '../conntrack/sctp.js';
import { Tcp } from '../conntrack/tcp.js';
import { type Counters, FrameStat } from '../stats/counters.js';
import * as ipv4 from '../wire/ipv4.js';

/** Lines that a new connection may need: IPv6, its template, the key of a persistence engine. */
export const NEW_CONN_LINES = 8;
/** Limit of entries examined for one new connection. */
const BUDGET = 64;

/** Ends unconfirmed connections of one table. */
export class EarlyDrop {
  private hand = 0;

  constructor(
    private readonly connections: Connections,
    private readonly counters: Counters,
  ) {}

  /** Call before a connection is opened, when the table has fewer than NEW_CONN_LINES free. */
  makeRoom(): void {
    const { connections, counters } = this;
    const { table } = connections;
    for (let n = 0; n < BUDGET && table.maxEntries - table.live < NEW_CONN_LINES; n++) {
      this.hand = this.hand >= table.highWater ? 1 : this.hand + 1;
      if (!this.isUnconfirmed(this.hand)) continue;
      connections.remove(this.hand);
      counters.count(FrameStat.earlyDropped);
    }
  }

  /**
   * TCP and SCTP before the handshake ends, unless the SYN proxy knows the client; UDP after one
   * packet of the client.
   */
  private isUnconfirmed(entry: number): boolean {
    const { connections } = this;
    const at = entry << ENTRY_SHIFT;
    const { words } = connections;
    const flags = words[at + FLAGS]!;
    if ((flags & (CONN_HASHED | CONN_REVERSE | CONN_TEMPLATE | CONN_SYNPROXY)) !== CONN_HASHED) return false;
    if (connections.childrenOf(entry) !== 0) return false;
    const state = words[at + DPORT_PROTO_STATE]! & 0xff;
    const protocol = connections.protocolOf(entry);
    if (protocol === ipv4.TCP) return state === Tcp.SYN_RECV || state === Tcp.SYNACK;
    if (protocol === ipv4.SCTP) return state === Sctp.INIT1 || state === Sctp.INIT;
    return words[at + PACKETS]! <= 1;
  }
}

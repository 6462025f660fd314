/**
 * Ends connections of destinations before their time. The table is walked in small steps.
 *
 *     expire_nodest_conn: those of a removed destination, at once (ip_vs_expire_nodest_conn_flush)
 *     options of a service: of a removed destination TCP by RST, UDP at once
 *     endConnections: the same for a destination that stays
 */

import type { Connections } from '../conntrack/connections.js';
import {
  CONN_ANSWERED,
  CONN_HASHED,
  CONN_RESET,
  CONN_REVERSE,
  CONN_SYNPROXY,
  CONN_TEMPLATE,
  ENTRY_SHIFT,
  FLAGS,
} from '../conntrack/entry.js';
import { Tcp } from '../conntrack/tcp.js';
import type { Destination } from '../service/service.js';
import type { Sysctls } from '../service/sysctl.js';
import { TCP, UDP } from '../wire/ipv4.js';

const BUDGET = 2048;

export class EndConns {
  /** The next entry to examine, 0 when there is nothing to do. */
  private at = 0;
  /** Another destination came during the walk: start once more. */
  private again = false;
  /** Destinations whose connections this walk ends by their marks, and those of the next walk. */
  private marked: Destination[] = [];
  private next: Destination[] = [];

  constructor(private readonly d: { readonly connections: Connections; readonly sysctl: Sysctls }) {}

  /** Resets a TCP connection on both sides; set by the director's housekeeping. */
  startReset: (entry: number) => void = () => {};
  /**
   * The SYN proxy's connection has waited in vain for its destination; set likewise. True: it waits
   * on.
   */
  askAgain: (entry: number) => boolean = () => false;

  /** Call after a destination was removed. */
  noteRemoval(dest: Destination): void {
    const { resetRemoved, rescheduleUdp } = dest.service;
    if (resetRemoved || rescheduleUdp) this.end(dest, resetRemoved, rescheduleUdp);
    else if (this.d.sysctl.expire_nodest_conn !== 0) this.begin();
  }

  /** Ends the connections of a destination. */
  end(dest: Destination, tcp: boolean, udp: boolean): void {
    dest.endsTcp ||= tcp;
    dest.endsUdp ||= udp;
    this.next.push(dest);
    this.begin();
  }

  /** From now on services may have options. */
  useOptions(): void {
    const { connections } = this.d;
    connections.useOwnIdle();
    connections.onIdle ??= (entry) => this.goesOn(entry);
  }

  /** The timer of a connection has ended. True: it has a new end. */
  private goesOn(entry: number): boolean {
    const waits = (this.d.connections.flagsOf(entry) & (CONN_SYNPROXY | CONN_ANSWERED)) === CONN_SYNPROXY;
    return waits ? this.askAgain(entry) : this.resetIdle(entry);
  }

  /** The idle time of a connection is over. True: it is being reset. */
  private resetIdle(entry: number): boolean {
    const { connections } = this.d;
    if (connections.destOf(entry)?.service.resetIdle !== true) return false;
    if ((connections.flagsOf(entry) & (CONN_TEMPLATE | CONN_RESET)) !== 0) return false;
    if (connections.protocolOf(entry) !== TCP || connections.stateOf(entry) !== Tcp.ESTABLISHED) return false;
    this.startReset(entry);
    return true;
  }

  tick(): void {
    if (this.at === 0) return;
    const { table } = this.d.connections;
    const end = Math.min(table.highWater, this.at + BUDGET - 1);
    for (; this.at <= end; this.at++) this.look(this.at);
    if (this.at > table.highWater) this.finish();
  }

  private begin(): void {
    if (this.at !== 0) this.again = true;
    else this.start();
  }

  private start(): void {
    this.at = 1;
    this.marked = this.next;
    this.next = [];
  }

  /** A destination that is in the next walk too keeps its marks. */
  private finish(): void {
    for (const dest of this.marked) if (!this.next.includes(dest)) dest.endsTcp = dest.endsUdp = false;
    this.at = 0;
    if (this.again) this.start();
    this.again = false;
  }

  private look(entry: number): void {
    const { connections, sysctl } = this.d;
    const flags = connections.words[(entry << ENTRY_SHIFT) + FLAGS]!;
    if ((flags & (CONN_HASHED | CONN_REVERSE)) !== CONN_HASHED || connections.childrenOf(entry) !== 0) return;
    const dest = connections.destOf(entry);
    if (dest === undefined) return;
    const protocol = (flags & CONN_TEMPLATE) === 0 ? connections.protocolOf(entry) : 0;
    if (dest.endsTcp && protocol === TCP) return this.startReset(entry);
    if ((dest.endsUdp && protocol === UDP) || (!dest.available && sysctl.expire_nodest_conn !== 0)) this.remove(entry);
  }

  private remove(entry: number): void {
    const { connections } = this.d;
    const parent = connections.parentOf(entry);
    connections.remove(entry);
    // Its template is before it in the table and still had a child when it was examined.
    if (parent !== 0 && parent < entry) this.look(parent);
  }
}

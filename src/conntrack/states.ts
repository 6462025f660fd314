/**
 * State changes of connections, by the table of their protocol. With the state change the timeout,
 * the counts of active and inactive connections of the destination, and the ASSURED flag of the
 * template.
 */
import type { Destination } from '../service/service.js';
import { Gauge } from '../stats/counters.js';
import { RST, SYN } from '../wire/tcp.js';
import {
  CONN_ANSWERED,
  CONN_ASSURED,
  CONN_INACTIVE,
  CONN_NOOUTPUT,
  CONN_TEMPLATE,
  CONTROL,
  DEST,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  TIMEOUT,
} from './entry.js';
import { nextSctpState, Sctp, sctpActive } from './sctp.js';
import { nextTcpState, Tcp, tcpActive } from './tcp.js';
import { StateTimeouts } from './timeouts.js';

/**
 * Rows of a state table: packets of the client, of the destination, of the client alone (DR, Tun).
 */
export const Direction = { input: 0, output: 1, inputOnly: 2 } as const;

/**
 * What a connection table asks and tells of connections whose packets somebody else forwards
 * (dataplane/offload): no packet of theirs comes to the director.
 */
export interface Offloaded {
  /**
   * Sets EXPIRES by the last packet of the entry. Returns true when its end is in the future.
   */
  pull(entry: number): boolean;
  /** The state of the entry changes: its packets must come to the director. */
  withdraw(entry: number): void;
  /** The entry leaves the table. It still has its destination. */
  release(entry: number): void;
  /** Something changes that the packets of many entries depend on. */
  bump(): void;
}

/** The state machines of one connection table. */
export class States {
  readonly timeouts = new StateTimeouts();
  /** TCP uses the table of secure_tcp. */
  secureTcp = false;
  /** Somebody else may forward packets of these connections. */
  offloaded: Offloaded | undefined;

  /** `words`: the connection table; `dests` by slot. */
  constructor(
    private readonly words: Int32Array,
    private readonly dests: readonly (Destination | undefined)[],
  ) {}

  /** A TCP segment; `direction`: input or output; `tcpFlags`: the flags byte. */
  tcp(entry: number, direction: number, tcpFlags: number): void {
    const at = entry << ENTRY_SHIFT;
    const old = this.words[at + DPORT_PROTO_STATE]! & 0xff;
    const state = nextTcpState(old, this.tablePart(at, direction), tcpFlags, this.secureTcp);
    if (state !== old) this.setState(at, state, tcpActive(state));
    if (state === Tcp.ESTABLISHED && state !== old) this.noteEstablished(at);
    if (old === Tcp.SYN_RECV)
      noteHandshake(this.words, at, this.destAt(at), direction === Direction.output, tcpFlags, state);
    this.words[at + TIMEOUT] = this.timeouts.tcp[state]!;
  }

  /** An SCTP packet; `chunk`, `second`: types of its first two chunks, −1: absent. */
  sctp(entry: number, direction: number, chunk: number, second: number): void {
    const at = entry << ENTRY_SHIFT;
    const old = this.words[at + DPORT_PROTO_STATE]! & 0xff;
    const state = nextSctpState(old, this.tablePart(at, direction), chunk, second);
    if (state !== old) this.setState(at, state, sctpActive(state));
    if (state === Sctp.ESTABLISHED && state !== old) this.assureControl(at);
    this.words[at + TIMEOUT] = this.timeouts.sctp[state]!;
  }

  /** A UDP datagram, which renews the timeout. */
  udp(entry: number, direction: number): void {
    const at = entry << ENTRY_SHIFT;
    this.words[at + TIMEOUT] = this.timeouts.udp;
    if (direction === Direction.output) this.assureControl(at);
  }

  private noteEstablished(at: number): void {
    this.assureControl(at);
    const proxy = this.destAt(at)?.service.synProxy;
    if (proxy !== undefined) proxy.confirmed++;
  }

  private assureControl(at: number): void {
    const parent = this.words[at + CONTROL]!;
    if (parent !== 0) this.words[(parent << ENTRY_SHIFT) + FLAGS]! |= CONN_ASSURED;
  }

  /** The part of the state table to use: inputOnly until the first packet of the destination. */
  private tablePart(at: number, direction: number): number {
    if ((this.words[at + FLAGS]! & CONN_NOOUTPUT) === 0) return direction;
    if (direction === Direction.input) return Direction.inputOnly;
    this.words[at + FLAGS]! &= ~CONN_NOOUTPUT;
    return direction;
  }

  private setState(at: number, state: number, active: boolean): void {
    this.words[at + DPORT_PROTO_STATE] = (this.words[at + DPORT_PROTO_STATE]! & ~0xff) | state;
    if (this.offloaded !== undefined) this.offloaded.withdraw(at >> ENTRY_SHIFT);
    const wasInactive = (this.words[at + FLAGS]! & CONN_INACTIVE) !== 0;
    if (active !== wasInactive) return;
    this.words[at + FLAGS]! ^= CONN_INACTIVE;
    const dest = this.destAt(at);
    if (dest === undefined) return;
    dest.add(Gauge.active, active ? 1 : -1);
    dest.add(Gauge.inactive, active ? -1 : 1);
  }

  private destAt(at: number): Destination | undefined {
    const slot = this.words[at + DEST]!;
    return slot === 0 ? undefined : this.dests[slot - 1];
  }
}

/**
 * What the director sees of TCP handshakes, counted by destination for passive health checks. Only
 * segments of a handshake come here: the fast path keeps the others.
 *
 *     SYN ──► SYN_RECV ─┬─ ACK of the client ──────────► answered
 *                       ├─ RST of the destination ─────► refused
 *                       └─ the SYN again, or the end of
 *                          the timer, and no SYN,ACK ──► unanswered
 *
 * Of DR and tunnel connections no SYN,ACK is seen. There only a repeated SYN counts: a flood of
 * forged SYNs must not take a real server out.
 *
 * A segment of a connection that was in SYN_RECV. `at`: its first word; `isOutput`: of the
 * destination; `state`: the state after it.
 */
export function noteHandshake(
  words: Int32Array,
  at: number,
  dest: Destination | undefined,
  isOutput: boolean,
  flags: number,
  state: number,
): void {
  if (state === Tcp.ESTABLISHED) dest?.add(Gauge.answered, 1);
  else if (isOutput && (flags & RST) !== 0) dest?.add(Gauge.refused, 1);
  else if ((flags & SYN) === 0) return;
  else if (isOutput) words[at + FLAGS]! |= CONN_ANSWERED;
  else if ((words[at + FLAGS]! & CONN_ANSWERED) === 0) dest?.add(Gauge.unanswered, 1);
}

/** The timer of a connection in SYN_RECV has ended. */
export function noteSilence(flags: number, dest: Destination | undefined): void {
  if ((flags & (CONN_ANSWERED | CONN_NOOUTPUT | CONN_TEMPLATE)) === 0) dest?.add(Gauge.unanswered, 1);
}

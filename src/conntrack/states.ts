/**
 * The states that packets move a connection through, by its protocol's table; with the state go its timeout, its share in the
 * destination's counts (active or inactive) and what its template learns of it.
 */
import type { Destination } from '../service/service.js';
import { Gauge } from '../stats/counters.js';
import {
  CONN_ASSURED,
  CONN_INACTIVE,
  CONN_NOOUTPUT,
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

export const Direction = { input: 0, output: 1, inputOnly: 2 } as const;

export class States {
  readonly timeouts = new StateTimeouts();
  /** The second TCP table is in force (sysctl secure_tcp). */
  secureTcp = false;

  /** `words`: the connection table; `dests` by slot. */
  constructor(
    private readonly words: Int32Array,
    private readonly dests: readonly (Destination | undefined)[],
  ) {}

  /** A TCP segment in `direction` (input or output) with these flags. */
  tcp(entry: number, direction: number, tcpFlags: number): void {
    const at = entry << ENTRY_SHIFT;
    const old = this.words[at + DPORT_PROTO_STATE]! & 0xff;
    const state = nextTcpState(old, this.seenFrom(at, direction), tcpFlags, this.secureTcp);
    if (state !== old) this.setState(at, state, tcpActive(state));
    if (state === Tcp.ESTABLISHED && state !== old) this.assureControl(at);
    this.words[at + TIMEOUT] = this.timeouts.tcp[state]!;
  }

  sctp(entry: number, direction: number, chunk: number, second: number): void {
    const at = entry << ENTRY_SHIFT;
    const old = this.words[at + DPORT_PROTO_STATE]! & 0xff;
    const state = nextSctpState(old, this.seenFrom(at, direction), chunk, second);
    if (state !== old) this.setState(at, state, sctpActive(state));
    if (state === Sctp.ESTABLISHED && state !== old) this.assureControl(at);
    this.words[at + TIMEOUT] = this.timeouts.sctp[state]!;
  }

  udp(entry: number, direction: number): void {
    const at = entry << ENTRY_SHIFT;
    this.words[at + TIMEOUT] = this.timeouts.udp;
    if (direction === Direction.output) this.assureControl(at);
  }

  private assureControl(at: number): void {
    const parent = this.words[at + CONTROL]!;
    if (parent !== 0) this.words[(parent << ENTRY_SHIFT) + FLAGS]! |= CONN_ASSURED;
  }

  /** Which third of the state table: the client's packets alone, until the first of the destination was seen. */
  private seenFrom(at: number, direction: number): number {
    if ((this.words[at + FLAGS]! & CONN_NOOUTPUT) === 0) return direction;
    if (direction === Direction.input) return Direction.inputOnly;
    this.words[at + FLAGS]! &= ~CONN_NOOUTPUT;
    return direction;
  }

  private setState(at: number, state: number, active: boolean): void {
    this.words[at + DPORT_PROTO_STATE] = (this.words[at + DPORT_PROTO_STATE]! & ~0xff) | state;
    const wasInactive = (this.words[at + FLAGS]! & CONN_INACTIVE) !== 0;
    if (active !== wasInactive) return;
    this.words[at + FLAGS]! ^= CONN_INACTIVE;
    const slot = this.words[at + DEST]!;
    const dest = slot === 0 ? undefined : this.dests[slot - 1];
    if (dest === undefined) return;
    dest.add(Gauge.active, active ? 1 : -1);
    dest.add(Gauge.inactive, active ? -1 : 1);
  }
}

/**
 * The life of a connection: opened and bound to a destination, moved through its states by each
 * packet, ended by its timer (timers.ts). The gauges of the destination, its thresholds and the tie
 * to a template are updated here.
 *
 *     open ─► bound (inactive) ─► state moves it between active and inactive ─► timer ends ─┬─► unbound, freed
 *                                                                 children alive: 60 s more ┘
 */
import type { Destination } from '../service/service.js';
import { TCP } from '../wire/ipv4.js';
import {
  CONN_ASSURED,
  CONN_HELPER,
  CONN_NO_CPORT,
  CONN_NOOUTPUT,
  CONN_ONE_PACKET,
  CONN_TEMPLATE,
  CONTROL,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  EXPIRES,
  FLAGS,
  METHOD_MASK,
  PORTS,
  TICKS,
  TIMEOUT,
  WHEEL_TICK,
  WITH_SHIFTS,
} from './entry.js';
import { bind, count, setInactive, unbind } from './gauges.js';
import { type SeqAdj, SeqAdjRows } from './seqadj.js';
import { noteSilence } from './states.js';
import type { SyncState } from './sync-state.js';
import type { ConnectionTable } from './table.js';
import { Tcp } from './tcp.js';
import { ConnectionTimers } from './timers.js';

/** Timeout of a connection before its first state is set (ip_vs_conn_new), in ticks. */
const FRESH = 3 * TICKS;
/** Timeout of a template or control connection that is due while it has children, in ticks. */
const POSTPONED = 60 * TICKS;

/** The connections of one worker: table, states and timers. */
export class Connections extends ConnectionTimers {
  /** Virtual ports of the FTP helper, which reads masq connections to them. */
  helperPorts: readonly number[] = [];
  /**
   * Sequence shifts by entry, of control connections that asked for a data connection, and of those
   * of the SYN proxy.
   */
  readonly seqAdj = new Map<number, SeqAdj>();
  private readonly rows: SeqAdjRows;
  /** Number of expected connections whose client port is not known yet. */
  withoutPort = 0;
  /** What synchronisation remembers; undefined until a daemon has run. */
  sync: SyncState | undefined;
  /** Called when the timer of an entry with children was postponed, while a master daemon runs. */
  onPostponed: ((entry: number) => void) | undefined;
  /**
   * Called when the timer of a connection has ended, where services have options of their own.
   * True: the connection has a new end.
   */
  onIdle: ((entry: number) => boolean) | undefined;

  /** `dests`: by slot, removed destinations included. `now`: in ticks. */
  constructor(table: ConnectionTable, dests: readonly (Destination | undefined)[], now = 0) {
    super(table, dests, now);
    this.rows = new SeqAdjRows(table.shifts);
  }

  /**
   * Opens the connection of an entry whose addresses, ports and protocol are filled in: inserts it
   * into the table, binds it to `dest` and starts its first timer. A one-packet connection is only
   * bound.
   */
  open(entry: number, dest: Destination | undefined, flags: number): void {
    const at = entry << ENTRY_SHIFT;
    this.enter(at, entry, dest, flags);
    this.words[at + TIMEOUT] = FRESH;
    this.words[at + EXPIRES] = (this.now + FRESH) | 0;
    if ((flags & CONN_ONE_PACKET) !== 0) return;
    this.table.insert(entry);
    this.wheel.start(entry);
  }

  /** As `open`, without a timer: `settle` must follow in the same batch. */
  openUntimed(entry: number, dest: Destination, flags: number): void {
    const at = entry << ENTRY_SHIFT;
    this.enter(at, entry, dest, flags);
    // The end that the first packet sets is not earlier than this tick.
    this.words[at + WHEEL_TICK] = this.now;
    this.table.insert(entry);
  }

  /** Takes an entry out of the gauges of its destination, which `adopt` puts back (rebuild.ts). */
  discount(entry: number): void {
    const dest = this.destOf(entry);
    if (dest !== undefined) count(dest, this.flagsOf(entry), -1);
  }

  private enter(at: number, entry: number, dest: Destination | undefined, flags: number): void {
    this.words[at + FLAGS]! |= flags;
    if (dest !== undefined) bind(this.words, at, dest);
    if (this.sync !== undefined) this.sync.reset(entry, this.now);
    if ((flags & CONN_NO_CPORT) !== 0) this.addWithoutPort();
    if (!this.needsHelper(at)) return;
    this.words[at + FLAGS]! |= CONN_HELPER;
    this.rows.clear(entry);
  }

  /** A packet of any port may be its first one, a reply of another connection, too. */
  private addWithoutPort(): void {
    this.withoutPort++;
    this.offloaded?.bump();
  }

  /** The sequence shift of a control connection, made at its first use. */
  seqAdjOf(entry: number): SeqAdj {
    let seqAdj = this.seqAdj.get(entry);
    if (seqAdj === undefined) {
      seqAdj = this.rows.make(entry, this.table.seals[entry] ?? 0);
      this.seqAdj.set(entry, seqAdj);
    }
    return seqAdj;
  }

  /**
   * Takes over a valid entry of `lines` lines that a former process left: starts its timer, and its
   * destination counts it again (rebuild.ts). Returns its hash, by which it must be linked.
   */
  adopt(entry: number, lines: number): number {
    const at = entry << ENTRY_SHIFT;
    const { words } = this;
    const flags = words[at + FLAGS]!;
    const hash = this.table.adopt(entry, lines);
    if ((flags & CONN_NO_CPORT) !== 0) this.addWithoutPort();
    const kept = (flags & WITH_SHIFTS) !== 0 ? this.rows.kept(entry, this.table.seals[entry]!) : undefined;
    if (kept !== undefined) this.seqAdj.set(entry, kept);
    const dest = this.destOf(entry);
    if (dest !== undefined) bind(words, at, dest);
    this.wheel.start(entry);
    return hash;
  }

  /** Ends the entry now. With children it stays, and its timer goes on. */
  expireNow(entry: number): void {
    if (this.childrenOf(entry) === 0) this.end(entry);
  }

  /**
   * Ends the entry before its time, unless it has children. Its parent ends too when no other child
   * is left and the parent is a control connection, or a template that is not ASSURED
   * (ip_vs_conn_expire with no timeout).
   */
  remove(entry: number): void {
    if (this.childrenOf(entry) !== 0) return;
    const parent = this.words[(entry << ENTRY_SHIFT) + CONTROL]!;
    this.end(entry);
    if (parent === 0 || this.childrenOf(parent) !== 0) return;
    const flags = this.flagsOf(parent);
    if ((flags & CONN_TEMPLATE) === 0 || (flags & CONN_ASSURED) === 0) this.remove(parent);
  }

  /**
   * Makes a template unfindable (ip_vs_check_template): it waits for its timer under ports that no
   * packet has.
   */
  invalidate(template: number): void {
    const at = template << ENTRY_SHIFT;
    if ((this.words[at + PORTS]! & 0xffff) === 0xffff) return;
    this.table.remove(template);
    this.words[at + PORTS] = 0xffff;
    this.words[at + DPORT_PROTO_STATE]! |= 0xffff << 16;
    this.table.insert(template);
  }

  /** Unbinds and frees an entry that is not in the table, such as a one-packet connection. */
  release(entry: number): void {
    if (this.offloaded !== undefined) this.offloaded.release(entry);
    const flags = this.flagsOf(entry);
    if ((flags & WITH_SHIFTS) !== 0) this.forgetShift(entry);
    if ((flags & CONN_NO_CPORT) !== 0) this.withoutPort--;
    const dest = this.destOf(entry);
    if (dest !== undefined) unbind(this.words, entry << ENTRY_SHIFT, dest);
    this.uncontrol(entry);
    this.table.free(entry);
  }

  private forgetShift(entry: number): void {
    this.seqAdj.delete(entry);
    this.rows.clear(entry);
  }

  /** The timer of the entry has ended. True: it has children and stays. */
  protected override onDue(entry: number): boolean {
    if (this.childrenOf(entry) !== 0) {
      const at = entry << ENTRY_SHIFT;
      this.words[at + TIMEOUT] = POSTPONED;
      this.words[at + EXPIRES] = (this.now + POSTPONED) | 0;
      this.onPostponed?.(entry);
      return true;
    }
    if (this.onIdle?.(entry)) return true;
    if (this.stateOf(entry) === Tcp.SYN_RECV && this.protocolOf(entry) === TCP)
      noteSilence(this.flagsOf(entry), this.destOf(entry));
    this.table.remove(entry);
    this.release(entry);
    return false;
  }

  private end(entry: number): void {
    this.wheel.stop(entry);
    this.table.remove(entry);
    this.release(entry);
  }

  /** TCP to a helper's virtual port, of a method that rewrites addresses (tcp_app_conn_bind). */
  private needsHelper(at: number): boolean {
    const { words } = this;
    if (this.helperPorts.length === 0 || (words[at + FLAGS]! & (METHOD_MASK | CONN_TEMPLATE)) !== 0) return false;
    return (
      ((words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff) === TCP && this.helperPorts.includes(words[at + PORTS]! & 0xffff)
    );
  }

  /**
   * Binds an entry without a destination to `dest` (ip_vs_try_bind_dest). `method`: its flags of
   * METHOD_MASK and CONN_NOOUTPUT from now on.
   */
  bindLater(entry: number, dest: Destination, method: number): void {
    const at = entry << ENTRY_SHIFT;
    this.words[at + FLAGS] = (this.words[at + FLAGS]! & ~(METHOD_MASK | CONN_NOOUTPUT)) | method;
    bind(this.words, at, dest);
    if (this.needsHelper(at)) this.words[at + FLAGS]! |= CONN_HELPER;
    this.offloaded?.release(entry);
    this.table.seal(entry);
  }

  /** Makes a connection active or inactive, as a synchronisation message says. */
  setInactive(entry: number, inactive: boolean): void {
    this.offloaded?.withdraw(entry);
    setInactive(this.words, entry << ENTRY_SHIFT, this.destOf(entry), inactive);
  }
}

/**
 * The master's side of synchronisation on the packet path (ip_vs_sync_conn): decides after each
 * packet of a client whether its connection is sent, and writes it into the ring for the control
 * thread.
 *
 *      packet ─► connection ─ needed? ─► ring       then its template or control connection,
 *                   └─ CONTROL ◄──────────┘         by its own count of packets
 *
 * Needed are (ip_vs_sync_conn_needed): a state near the end of the connection, at once; an
 * established connection, and UDP, when its packet count hits sync_threshold in sync_period, or
 * when sync_refresh_period lets it; templates always, unless sync_refresh_period is set.
 */
import {
  CONN_FULLNAT,
  CONN_HASHED,
  CONN_IPV6,
  CONN_MIXED,
  CONN_ONE_PACKET,
  CONN_OUTGOING,
  CONN_REVERSE,
  CONN_SYNPROXY,
  CONN_TEMPLATE,
  CONTROL,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  TICKS,
  TIMEOUT,
} from '../../conntrack/entry.js';
import { Sctp } from '../../conntrack/sctp.js';
import { END, OLD, SENT, SYNC_SHIFT } from '../../conntrack/sync-state.js';
import { Tcp } from '../../conntrack/tcp.js';
import { SCTP, TCP } from '../../wire/ipv4.js';
import { SyncConn, writeConn } from '../../wire/sync.js';
import { writeConnV0 } from '../../wire/sync-v0.js';
import type { Director, SyncMaster } from '../director.js';
import { type EngineName, fillConn } from './fill.js';
import { RecordKind, type SyncRing } from './ring.js';

/** States that are sent, as bits. */
const TCP_SENT = bits(Tcp.ESTABLISHED, Tcp.FIN_WAIT, Tcp.CLOSE, Tcp.CLOSE_WAIT, Tcp.TIME_WAIT);
const SCTP_SENT = bits(
  Sctp.ESTABLISHED,
  Sctp.SHUTDOWN_SENT,
  Sctp.SHUTDOWN_RECEIVED,
  Sctp.SHUTDOWN_ACK_SENT,
  Sctp.CLOSED,
);
/**
 * Connections that the protocol cannot describe: full NAT, snat, tunnels to the other family, the
 * SYN proxy's (their timestamps and windows are shifted, too).
 */
const UNKNOWN_TO_IPVS = CONN_FULLNAT | CONN_REVERSE | CONN_OUTGOING | CONN_MIXED | CONN_SYNPROXY;
/** Shortest change of a timer (ticks) that counts beside sync_refresh_period. */
const SHORTEST = 10 * TICKS;
/** Lines of the table that one turn of a resend looks at. */
const RESEND_BUDGET = 512;

function bits(...states: number[]): number {
  return states.reduce((all, state) => all | (1 << state), 0);
}

/** How messages are written. */
export interface MasterSetup {
  /** Number of ports, a power of two, by which connections are shared. */
  readonly ports: number;
  /** Messages have the sequence numbers of the FTP helper, which the kernel never sends. */
  readonly sequences: boolean;
}

export class RingMaster implements SyncMaster {
  private readonly conn = new SyncConn();
  /** The line at which a resend goes on; 0: none runs. */
  private resendAt = 0;

  constructor(
    private readonly d: Director,
    private readonly ring: SyncRing,
    private readonly nameOf: EngineName,
    private readonly setup: MasterSetup,
  ) {}

  /** `packets`: the packets of the connection from its client. */
  offer(entry: number, packets: number): void {
    const { connections, sysctl } = this.d;
    const { words } = connections;
    const state = connections.sync!.words;
    let count = packets;
    let skip = (words[(entry << ENTRY_SHIFT) + FLAGS]! & CONN_ONE_PACKET) !== 0;
    for (let one = entry; ; ) {
      if (!skip && this.isNeeded(one, count))
        this.write(one, sysctl.sync_version === 0 ? RecordKind.version0 : RecordKind.version1);
      else if (sysctl.sync_version === 0) return;
      skip = false;
      one = words[(one << ENTRY_SHIFT) + CONTROL]!;
      if (one === 0) return;
      const isTemplate = (words[(one << ENTRY_SHIFT) + FLAGS]! & CONN_TEMPLATE) !== 0;
      count = isTemplate ? ++state[(one << SYNC_SHIFT) + SENT]! : sysctl.sync_threshold;
    }
  }

  /** The timer of a template or control connection was postponed. */
  postponed(entry: number): void {
    this.offer(entry, this.d.sysctl.sync_threshold);
  }

  /** A backup has joined: all connections are written, some each turn. */
  resend(): void {
    this.resendAt = 1;
  }

  tick(): void {
    if (this.resendAt === 0) return;
    const { table } = this.d.connections;
    for (let left = RESEND_BUDGET; left > 0 && this.ring.isRoomy; left--) {
      if (this.resendAt > table.highWater) {
        this.resendAt = 0;
        return;
      }
      this.resendOne(this.resendAt++);
    }
  }

  private resendOne(entry: number): void {
    const { connections } = this.d;
    const flags = connections.flagsOf(entry);
    if ((flags & CONN_HASHED) === 0 || connections.ended(entry)) return;
    if ((flags & CONN_TEMPLATE) !== 0 || this.isSentState(entry)) this.write(entry, RecordKind.resend);
  }

  private isSentState(entry: number): boolean {
    const { connections } = this.d;
    const protocol = connections.protocolOf(entry);
    const bit = 1 << connections.stateOf(entry);
    if (protocol === TCP) return (TCP_SENT & bit) !== 0;
    return protocol !== SCTP || (SCTP_SENT & bit) !== 0;
  }

  private isNeeded(entry: number, packets: number): boolean {
    const { connections, sysctl } = this.d;
    const { words } = connections;
    const at = entry << ENTRY_SHIFT;
    const isTemplate = (words[at + FLAGS]! & CONN_TEMPLATE) !== 0;
    const state = words[at + DPORT_PROTO_STATE]! & 0xff;
    if (!isTemplate) {
      if (sysctl.sync_persist_mode !== 0 && this.isPersistent(at)) return false;
      if (!this.isSentState(entry)) return false;
      if (this.isNearEnd(entry, state)) return this.remember(entry, at, state, 0);
    }
    const retries = sysctl.sync_refresh_period > 0 ? this.refreshes(entry, at) : 0;
    if (retries < 0) return false;
    const period = sysctl.sync_period;
    if (period > 0) {
      if (!isTemplate && packets % period !== sysctl.sync_threshold) return false;
    } else if (sysctl.sync_refresh_period === 0 && packets !== sysctl.sync_threshold) return false;
    return this.remember(entry, at, state, retries);
  }

  /** A state other than ESTABLISHED, in which the connection was not sent yet. */
  private isNearEnd(entry: number, state: number): boolean {
    const protocol = this.d.connections.protocolOf(entry);
    if (protocol !== TCP && protocol !== SCTP) return false;
    if (state === (protocol === TCP ? Tcp.ESTABLISHED : Sctp.ESTABLISHED)) return false;
    return this.d.connections.sync!.words[(entry << SYNC_SHIFT) + OLD] !== state;
  }

  /** A template controls it, directly or through another connection. */
  private isPersistent(at: number): boolean {
    const { words } = this.d.connections;
    for (let parent = words[at + CONTROL]!; parent !== 0; parent = words[(parent << ENTRY_SHIFT) + CONTROL]!)
      if ((words[(parent << ENTRY_SHIFT) + FLAGS]! & CONN_TEMPLATE) !== 0) return true;
    return false;
  }

  /**
   * With sync_refresh_period: −1 when the timer has moved too little since the last message, else
   * the number of this retry, 0 for a first one.
   */
  private refreshes(entry: number, at: number): number {
    const { connections, sysctl } = this.d;
    const timeout = connections.words[at + TIMEOUT]!;
    const last = connections.sync!.words[(entry << SYNC_SHIFT) + END]!;
    const moved = Math.abs((((connections.now + timeout) & ~3) - last) | 0);
    const period = sysctl.sync_refresh_period * TICKS;
    if (moved >= Math.min(period, Math.max(timeout >> 1, SHORTEST))) return 0;
    const retries = last & 3;
    if (retries >= sysctl.sync_retries) return -1;
    const due = (last - timeout + (period >> 3)) | 0;
    return ((connections.now - due) | 0) < 0 ? -1 : retries + 1;
  }

  private remember(entry: number, at: number, state: number, retries: number): true {
    const { connections } = this.d;
    const { words } = connections.sync!;
    const beside = entry << SYNC_SHIFT;
    words[beside + OLD] = state;
    words[beside + END] = ((connections.now + connections.words[at + TIMEOUT]!) & ~3) | retries;
    return true;
  }

  private write(entry: number, kind: number): void {
    const flags = this.d.connections.flagsOf(entry);
    if ((flags & UNKNOWN_TO_IPVS) !== 0 || (kind === RecordKind.version0 && (flags & CONN_IPV6) !== 0)) return;
    const at = this.ring.reserve();
    if (at < 0) return;
    const { conn, ring, setup } = this;
    fillConn(this.d, entry, conn, this.nameOf, setup.sequences);
    const size = kind === RecordKind.version0 ? writeConnV0(ring.view, at, conn) : writeConn(ring.view, at, conn);
    ring.commit(size, kind, entry & (setup.ports - 1));
  }
}

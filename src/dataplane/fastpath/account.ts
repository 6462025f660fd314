/**
 * Accounting of the fast path: counts a packet, sets the state and the timer of its connection.
 * What all packets share is summed over the batch.
 */
import {
  CONN_ANSWERED,
  CONN_HASHED,
  CONN_INACTIVE,
  CONN_INDEXED,
  CONN_NOOUTPUT,
  CONN_SYNC,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  EXPIRES,
  FLAGS,
  METHOD_MASK,
  TIMEOUT,
  WHEEL_TICK,
} from '../../conntrack/entry.js';
import { Direction } from '../../conntrack/states.js';
import { nextTcpState, Tcp } from '../../conntrack/tcp.js';
import { FrameStat, Stat } from '../../stats/counters.js';
import type { Director } from '../director.js';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../parse/packet.js';
import { type BatchCache, COUNTERS, SERVICE } from './cache.js';
import { NOT_TCP } from './scan.js';

/**
 * The connection flags that the fast path handles. A connection with any other flag takes the slow
 * path. So a flag that is added to conntrack/entry.ts is slow until somebody adds it here and to
 * test/dataplane/fastpath. `neighbourFor` has the list of the forwarding methods.
 */
export const FAST_FLAGS =
  METHOD_MASK | CONN_HASHED | CONN_INDEXED | CONN_INACTIVE | CONN_NOOUTPUT | CONN_SYNC | CONN_ANSWERED;
/** TCP flags that may change a state; a packet with TCP_ACK only of them changes none. */
const EVENTS = TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK;
const BYTES = Stat.inbytes - Stat.inpkts;
/** Indexes into `sums`: frames, their bytes as received, their bytes as sent. */
const FRAMES = 0;
const RECEIVED = 1;
const SENT = 2;
/** Packets of a direction; their bytes follow. */
const IN = 3;
const OUT = 5;

export interface BatchAccount {
  /**
   * Counts a packet of `bytes` for the destination of the cache's row `dest`, its service and the
   * total.
   */
  countIn(dest: number, bytes: number): void;
  countOut(dest: number, bytes: number): void;
  /** The timer of the entry whose first word is `at` has ended. */
  isExpired(at: number): boolean;
  /** Counts a frame by the bytes of its Ethernet frames. */
  countFrame(received: number, sent: number): void;
  /**
   * Sets state and timer. `at`: first word of the entry. `kind`: the TCP flags, or NOT_TCP.
   * `States` handles a changed state, `Connections` an earlier expiry.
   */
  updateState(entry: number, at: number, direction: 0 | 1, kind: number): void;
  /** Adds the sums of the batch to the counters that all packets share. */
  flush(): void;
}

/** A closure for the same reason as `fastPath`. */
export function batchAccount(d: Director, { rows: cached }: BatchCache): BatchAccount {
  const { connections, counters } = d;
  const { states, words } = connections;
  const { values } = counters;
  const tcpTimeouts = states.timeouts.tcp;
  // Longer than needed, so that V8 places it outside its heap.
  const sums = new Int32Array(32);

  function countIn(dest: number, bytes: number): void {
    count(dest, Stat.inpkts, bytes, IN);
  }
  function countOut(dest: number, bytes: number): void {
    count(dest, Stat.outpkts, bytes, OUT);
  }

  function count(dest: number, packets: number, bytes: number, sum: number): void {
    const destination = cached[dest + COUNTERS]! + packets;
    const service = cached[dest + SERVICE]! + packets;
    values[destination]!++;
    values[destination + BYTES]! += bytes;
    values[service]!++;
    values[service + BYTES]! += bytes;
    sums[sum]!++;
    sums[sum + 1]! += bytes;
  }

  function isExpired(at: number): boolean {
    return ((words[at + EXPIRES]! - connections.now) | 0) <= 0 && connections.isDue(at >>> ENTRY_SHIFT);
  }

  function countFrame(received: number, sent: number): void {
    sums[FRAMES]!++;
    sums[RECEIVED]! += received;
    sums[SENT]! += sent;
  }

  function updateState(entry: number, at: number, direction: 0 | 1, kind: number): void {
    if (kind === NOT_TCP) states.udp(entry, direction);
    else {
      const state = words[at + DPORT_PROTO_STATE]! & 0xff;
      if (changesState(at, state, direction, kind)) states.tcp(entry, direction, kind);
      else words[at + TIMEOUT] = tcpTimeouts[state]!;
    }
    const expires = (connections.now + words[at + TIMEOUT]!) | 0;
    words[at + EXPIRES] = expires;
    if (((expires - words[at + WHEEL_TICK]!) | 0) < 0) connections.touch(entry);
  }

  /** Most packets are ACKs of established connections: these change the state in neither table. */
  function changesState(at: number, state: number, direction: 0 | 1, tcpFlags: number): boolean {
    const silent = (words[at + FLAGS]! & CONN_NOOUTPUT) !== 0;
    if (silent && direction === Direction.output) return true;
    if (state === Tcp.ESTABLISHED && (tcpFlags & EVENTS) === TCP_ACK) return false;
    // Handshakes are counted, also where the state stays (conntrack/states.ts).
    if (state === Tcp.SYN_RECV) return true;
    return nextTcpState(state, silent ? Direction.inputOnly : direction, tcpFlags, states.secureTcp) !== state;
  }

  function flush(): void {
    const { totalRow } = counters;
    const frames = sums[FRAMES]!;
    if (frames === 0) return;
    values[FrameStat.in]! += frames;
    values[FrameStat.inBytes]! += sums[RECEIVED]!;
    values[FrameStat.forwarded]! += frames;
    values[FrameStat.out]! += frames;
    values[FrameStat.outBytes]! += sums[SENT]!;
    values[totalRow + Stat.inpkts]! += sums[IN]!;
    values[totalRow + Stat.inbytes]! += sums[IN + 1]!;
    values[totalRow + Stat.outpkts]! += sums[OUT]!;
    values[totalRow + Stat.outbytes]! += sums[OUT + 1]!;
    sums.fill(0);
  }

  return { isExpired, countIn, countOut, countFrame, updateState, flush };
}

/**
 * The packet changes no state: all that follow can be treated like it. `kind`: as KIND of a row.
 */
export function isSteady(kind: number): boolean {
  return kind === NOT_TCP || (kind & EVENTS) === TCP_ACK;
}

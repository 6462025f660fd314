/**
 * All counters of one worker, in one SharedArrayBuffer with one writer. Readers (listings, metrics)
 * never stop forwarding. Counts are doubles, exact to 2^53. Those of a director are the sum over
 * its workers.
 *
 *     Float64   frames[FRAME_STATS]  drops[64] dropBytes[64]  total[5]  service[slot][5] …  destination[slot][5] …
 *     Int32     gauges[slot][8]: active, inactive, persistent connections; references (connections that name the slot);
 *               overloaded (0 or 1); answered, unanswered, refused
 *
 * Schedulers and thresholds read the gauges, so that all workers share the gauges of the first
 * worker and change them by Atomics. Memory is virtual until touched: unused slots cost nothing.
 */
import type { Block } from './block.js';

export const MAX_SERVICES = 1 << 18;
export const MAX_DESTINATIONS = 1 << 20;
const DROP_ROOM = 64;

/**
 * What became of the frames: in = forwarded + delivered + passed + dropped (+ frames that wait for
 * a neighbour).
 */
export const FrameStat = {
  in: 0,
  inBytes: 1,
  forwarded: 2,
  delivered: 3,
  passed: 4,
  dropped: 5,
  /** Frames that the director made: ARP, ICMP, RST, fragments after the first. */
  originated: 6,
  out: 7,
  outBytes: 8,
  /** Frames handed off to the worker that owns the client. That worker counts them as in. */
  handedOff: 9,
  /** Unconfirmed connections that gave their place in the full table to new ones. No frames. */
  earlyDropped: 10,
  /** SYN proxy: cookies sent; acknowledgements with a valid cookie, and without. No frames. */
  cookiesSent: 11,
  cookiesAccepted: 12,
  cookiesRefused: 13,
} as const;
const FRAME_STATS = 16;

/** Columns of a statistics row, the order of ipvsadm --stats. */
export const Stat = { conns: 0, inpkts: 1, outpkts: 2, inbytes: 3, outbytes: 4 } as const;
export const STATS = 5;
/** Columns of a row of gauges. */
export const Gauge = {
  active: 0,
  inactive: 1,
  persistent: 2,
  references: 3,
  overloaded: 4,
  /** Counts that wrap, for passive health checks: handshakes that were completed, */
  answered: 5,
  /** SYNs that the destination did not answer, */
  unanswered: 6,
  /** SYNs that it answered by RST, and ICMP unreachable about its connections. */
  refused: 7,
} as const;
export const GAUGES = 8;

const DROPS_AT = FRAME_STATS;
const DROP_BYTES_AT = DROPS_AT + DROP_ROOM;
const TOTAL_AT = DROP_BYTES_AT + DROP_ROOM;
const SERVICES_AT = TOTAL_AT + STATS;
const DESTINATIONS_AT = SERVICES_AT + MAX_SERVICES * STATS;
const DOUBLES = DESTINATIONS_AT + MAX_DESTINATIONS * STATS;

/** Bytes of the counters of one worker. */
export const COUNTERS_BYTES = DOUBLES * 8 + MAX_DESTINATIONS * GAUGES * 4;

/** The counters of one worker. */
export class Counters {
  /** All counts; rows begin at `totalRow`, `serviceRow(slot)`, `destinationRow(slot)`. */
  readonly values: Float64Array;
  /** Gauges, at `slot * GAUGES + Gauge.x`. */
  readonly gauges: Int32Array;
  /** Other workers change the same gauges. */
  readonly shared: boolean;

  /**
   * `first`: memory of the first of several workers, which holds the gauges of all; absent: one
   * worker.
   */
  constructor(
    readonly memory: Block = Counters.memory(),
    first?: Block,
  ) {
    const { buffer, offset } = first ?? memory;
    this.values = new Float64Array(memory.buffer, memory.offset, DOUBLES);
    this.gauges = new Int32Array(buffer, offset + DOUBLES * 8, MAX_DESTINATIONS * GAUGES);
    this.shared = first !== undefined;
  }

  /** Zeroed memory for one worker. */
  static memory(): Block {
    return { buffer: new SharedArrayBuffer(COUNTERS_BYTES), offset: 0 };
  }

  get totalRow(): number {
    return TOTAL_AT;
  }
  serviceRow(slot: number): number {
    return SERVICES_AT + slot * STATS;
  }
  destinationRow(slot: number): number {
    return DESTINATIONS_AT + slot * STATS;
  }

  /** Counts a frame under a FrameStat. */
  count(stat: number): void {
    this.values[stat]!++;
  }

  /** Counts a dropped frame of `bytes` bytes under a Drop. */
  drop(reason: number, bytes: number): void {
    this.values[FrameStat.dropped]!++;
    this.values[DROPS_AT + reason]!++;
    this.values[DROP_BYTES_AT + reason]! += bytes;
  }
  drops(reason: number): number {
    return this.values[DROPS_AT + reason]!;
  }
  dropBytes(reason: number): number {
    return this.values[DROP_BYTES_AT + reason]!;
  }
}

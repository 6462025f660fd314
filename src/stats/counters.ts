/**
 * All counters of one worker, in one SharedArrayBuffer that has exactly one writer. Whoever reads (listings, metrics) never
 * stops forwarding. Counts are doubles, exact to 2^53; a director's are the sum of its workers'.
 *
 *     Float64  fates[FATES]  drops[64] dropBytes[64]  total[5]  service[slot][5] …  destination[slot][5] …
 *     Int32    gauges[slot][8]: active, inactive, persistent connections; references (connections that name the slot);
 *              overloaded (0 or 1)
 *
 * Schedulers and thresholds look at the gauges, so all workers share those of the first one, and count there by Atomics.
 * The memory is virtual until touched, so the room for all slots costs nothing.
 */
export const MAX_SERVICES = 4096;
export const MAX_DESTINATIONS = 65536;
const DROP_ROOM = 64;

/** What became of the frames. in = forwarded + delivered + passed + dropped (+ those that wait for a neighbour). */
export const FrameStat = {
  in: 0,
  inBytes: 1,
  forwarded: 2,
  delivered: 3,
  passed: 4,
  dropped: 5,
  /** Frames the director made itself: ARP, ICMP, RST, fragments beyond the first. */
  originated: 6,
  out: 7,
  outBytes: 8,
  /** Frames given to the worker whose client's they are: they came in there. */
  handed: 9,
} as const;
const FATES = 16;

/** Columns of a statistics row, the order of ipvsadm --stats. */
export const Stat = { conns: 0, inpkts: 1, outpkts: 2, inbytes: 3, outbytes: 4 } as const;
export const STATS = 5;
export const Gauge = { active: 0, inactive: 1, persistent: 2, references: 3, overloaded: 4 } as const;
export const GAUGES = 8;

const DROPS_AT = FATES;
const DROP_BYTES_AT = DROPS_AT + DROP_ROOM;
const TOTAL_AT = DROP_BYTES_AT + DROP_ROOM;
const SERVICES_AT = TOTAL_AT + STATS;
const DESTINATIONS_AT = SERVICES_AT + MAX_SERVICES * STATS;
const DOUBLES = DESTINATIONS_AT + MAX_DESTINATIONS * STATS;

export class Counters {
  /** All doubles; index with `totalRow`, `serviceRow`, `destinationRow`. */
  readonly values: Float64Array;
  /** Gauges by `slot * GAUGES + Gauge.x`. */
  readonly gauges: Int32Array;

  /** Others count in the same gauges. */
  readonly shared: boolean;

  /** `first`: the buffer of the first worker where there are several: it holds the gauges of all. */
  constructor(
    readonly buffer: SharedArrayBuffer = Counters.memory(),
    first?: SharedArrayBuffer,
  ) {
    this.values = new Float64Array(buffer, 0, DOUBLES);
    this.gauges = new Int32Array(first ?? buffer, DOUBLES * 8, MAX_DESTINATIONS * GAUGES);
    this.shared = first !== undefined;
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(DOUBLES * 8 + MAX_DESTINATIONS * GAUGES * 4);
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

  count(fate: number): void {
    this.values[fate]!++;
  }

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

/**
 * What a worker's loop does with its time, in shared memory with one writer. Batch sizes and busy
 * time are counted each turn; the stages are measured in one turn of 64.
 *
 *     Float64   turns[2]  batches[BATCHES]  busy  sampled frames  ns of each stage  latency[LATENCIES]  latency sum
 */

/** Upper ends of the sizes of a batch: frames that one turn received; the last has no end. */
export const BATCH_BOUNDS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/** Upper ends of the times in the director, µs; the last has no end. */
export const LATENCY_BOUNDS: readonly number[] = [2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
/** Stages of a turn. */
export const Stage = { timers: 0, receive: 1, process: 2, send: 3 } as const;
export const STAGES = Object.keys(Stage) as (keyof typeof Stage)[];

const BATCHES = BATCH_BOUNDS.length + 1;
const LATENCIES = LATENCY_BOUNDS.length + 1;
const BATCHES_AT = 2;
const BUSY = BATCHES_AT + BATCHES;
const SAMPLED = BUSY + 1;
const STAGES_AT = SAMPLED + 1;
const LATENCIES_AT = STAGES_AT + STAGES.length;
const LATENCY_SUM = LATENCIES_AT + LATENCIES;
const DOUBLES = LATENCY_SUM + 1;

/** Turns between two that are measured, less one. */
const SAMPLE_MASK = 63;
const US = 1e3;

/** A reading. Counts of a histogram are by bucket, not summed up. */
export interface LoopReading {
  /** Turns that received frames, and frames in them. */
  readonly turns: number;
  readonly frames: number;
  readonly batches: readonly number[];
  /** Time of turns that received frames, s. */
  readonly busySeconds: number;
  /** Frames of measured turns, and the time of each stage in them, s. */
  readonly sampledFrames: number;
  readonly stageSeconds: readonly number[];
  /** Frames of measured turns by the time from reception to sending, and the sum in s. */
  readonly latencies: readonly number[];
  readonly latencySum: number;
}

/** The figures of one worker. */
export class LoopStats {
  private readonly values: Float64Array;
  private turn = 0;
  private before = 0;
  private wasBusy = false;

  constructor(memory: SharedArrayBuffer = LoopStats.memory()) {
    this.values = new Float64Array(memory);
  }

  /** Frames received so far. */
  get frames(): number {
    return this.values[1]!;
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(DOUBLES * 8);
  }

  /** Call at the begin of each turn; `now` in ms. Returns true when this turn is measured. */
  begin(now: number): boolean {
    if (this.wasBusy) this.values[BUSY]! += now - this.before;
    this.before = now;
    this.turn = (this.turn + 1) & SAMPLE_MASK;
    return this.turn === 0;
  }

  /** Call at the end of each turn. */
  end(received: number): void {
    this.wasBusy = received > 0;
    if (received === 0) return;
    const { values } = this;
    values[0]!++;
    values[1]! += received;
    // The number of bits of `received - 1` is the index of its power of two.
    values[BATCHES_AT + Math.min(32 - Math.clz32(received - 1), BATCHES - 1)]!++;
  }

  /** A stage of a measured turn took from `from` to `to`, ms. */
  lap(stage: number, from: number, to: number): void {
    this.values[STAGES_AT + stage]! += to - from;
  }

  /** The frames of a measured turn were in the director for `ms`. */
  latency(ms: number, frames: number): void {
    const { values } = this;
    const us = ms * US;
    let bucket = 0;
    while (bucket < LATENCIES - 1 && us > LATENCY_BOUNDS[bucket]!) bucket++;
    values[LATENCIES_AT + bucket]! += frames;
    values[LATENCY_SUM]! += ms * frames;
    values[SAMPLED]! += frames;
  }

  read(): LoopReading {
    const { values } = this;
    const some = (at: number, count: number) => [...values.subarray(at, at + count)];
    return {
      turns: values[0]!,
      frames: this.frames,
      batches: some(BATCHES_AT, BATCHES),
      busySeconds: values[BUSY]! / US,
      sampledFrames: values[SAMPLED]!,
      stageSeconds: some(STAGES_AT, STAGES.length).map((ms) => ms / US),
      latencies: some(LATENCIES_AT, LATENCIES),
      latencySum: values[LATENCY_SUM]! / US,
    };
  }
}

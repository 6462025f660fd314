/**
 * One of the two directors that a frame target holds against each other: the fast path with its
 * batches, or the slow path alone, frame by frame.
 *
 *     Umem:  | guard | frame | guard | frame | … | free frames | room for a reassembled datagram |
 *
 * Every other frame is a guard that nobody may write to. The two sides fill the rest of a frame
 * with different bytes, so that a byte from beyond a frame's end, if it has any effect, makes them
 * differ.
 */
import { ENTRY_WORDS, HASH, NEXT } from '../../../src/conntrack/entry.js';
import type { InProcessDirector } from '../../../src/control/inprocess.js';
import { Housekeeping } from '../../../src/dataplane/housekeeping.js';
import { processBatch, processFrame } from '../../../src/dataplane/ingress.js';
import { Batch } from '../../../src/device/batch.js';
import { Umem } from '../../../src/device/umem.js';
import { FrameStat, GAUGES } from '../../../src/stats/counters.js';
import { DROP_NAMES } from '../../../src/stats/drops.js';

const FRAMES = 640;
const FRAME_SIZE = 2048;
const GUARDED = 400;
const GUARD = 0xa7;
/** Slots of services and destinations that are compared. */
const SLOTS = 64;
/** Ticks of a long step of time. */
const TICKS = 6;
/** Replies are to the last frames that were sent. */
const LATELY = 32;

/** Frames for a director, guards between them. */
export function guardedUmem(): Umem {
  const held = new Uint8Array(FRAMES);
  for (let i = 0; i < GUARDED; i += 2) held[i] = 1;
  const umem = new Umem(FRAMES, FRAME_SIZE, undefined, held);
  for (let i = 0; i < GUARDED; i += 2) umem.u8.fill(GUARD, i * FRAME_SIZE, (i + 1) * FRAME_SIZE);
  return umem;
}

const SOUND_GUARD = Buffer.alloc(FRAME_SIZE, GUARD);

/** A sent frame. */
export interface Left {
  readonly device: number;
  readonly bytes: Uint8Array;
}

export class FrameSide {
  /** What the last turn sent. */
  left: Left[] = [];
  /** What was sent lately. */
  readonly lately: Left[] = [];
  private readonly housekeeping: Housekeeping;
  private readonly batch = new Batch(64);
  private readonly free: number;
  private readonly guards: Buffer;

  constructor(
    readonly inner: InProcessDirector,
    private readonly isFast: boolean,
  ) {
    const { umem } = inner.director;
    this.housekeeping = new Housekeeping(inner.director);
    this.free = umem.freeFrames;
    this.guards = Buffer.from(umem.u8.buffer as ArrayBuffer, umem.u8.byteOffset, GUARDED * FRAME_SIZE);
  }

  get links(): number {
    return this.inner.director.links.length;
  }

  /** Lets `ms` pass. */
  pass(ms: number): void {
    const { director } = this.inner;
    const end = director.now + ms;
    for (let n = 1; n <= TICKS; n++) this.housekeeping.tick(end - Math.floor((ms * (TICKS - n)) / TICKS));
    this.collect();
  }

  /** Puts a frame into the batch. */
  put(bytes: Uint8Array): void {
    const { umem } = this.inner.director;
    const offset = umem.alloc();
    const base = offset & -FRAME_SIZE;
    umem.u8.fill(this.isFast ? 0x5a : 0xc3, base, base + FRAME_SIZE);
    umem.u8.set(bytes, offset);
    this.batch.push(offset, bytes.length);
  }

  /** Processes the batch. */
  turn(device: number): void {
    const { director } = this.inner;
    const { n, offsets, lengths } = this.batch;
    if (this.isFast) processBatch(director, device, this.batch);
    else for (let i = 0; i < n; i++) processFrame(director, device, offsets[i]!, lengths[i]!);
    this.batch.n = 0;
    this.housekeeping.ask();
    this.collect();
  }

  private collect(): void {
    const { links, umem } = this.inner.director;
    for (const { index, output } of links) {
      for (let i = 0; i < output.n; i++) {
        const at = output.offsets[i]!;
        this.keep({ device: index, bytes: umem.u8.slice(at, at + output.lengths[i]!) });
        umem.free(at);
      }
      output.n = 0;
    }
  }

  private keep(one: Left): void {
    this.left.push(one);
    this.lately.push(one);
    if (this.lately.length > 2 * LATELY) this.lately.splice(0, LATELY);
  }

  /** What waits for a neighbour or for other fragments. */
  private waiting(): number {
    const { neighbours, fragments } = this.inner.director;
    let waiting = fragments.held;
    for (const one of neighbours.all) for (const frame of one.waiting) if (!frame.originated) waiting++;
    return waiting;
  }

  /** in = forwarded + delivered + passed + dropped + waiting. */
  sums(): void {
    const { counters } = this.inner.director;
    const { values } = counters;
    const verdicts =
      values[FrameStat.forwarded]! +
      values[FrameStat.delivered]! +
      values[FrameStat.passed]! +
      values[FrameStat.dropped]! +
      this.waiting();
    if (verdicts !== values[FrameStat.in]) throw new Error(`in ${values[FrameStat.in]}, verdicts ${verdicts}`);
    const reasons = DROP_NAMES.reduce((sum, _, i) => sum + counters.drops(i), 0);
    if (reasons !== values[FrameStat.dropped])
      throw new Error(`dropped ${values[FrameStat.dropped]}, reasons ${reasons}`);
  }

  /** Nobody wrote to a guard. */
  guarded(): void {
    for (let at = 0; at < this.guards.length; at += 2 * FRAME_SIZE)
      if (SOUND_GUARD.compare(this.guards, at, at + FRAME_SIZE) !== 0) throw new Error(`guard at ${at} written`);
  }

  /** Everything that waits is given up: then every frame is free again. */
  nothingLeaks(): void {
    for (let i = 0; i < 80; i++) this.pass(1000);
    this.sums();
    const { freeFrames } = this.inner.director.umem;
    if (freeFrames !== this.free) throw new Error(`${this.free - freeFrames} frames leaked`);
  }

  /** The numbers that must be equal on both sides after each input. */
  numbers(): Float64Array {
    const { counters } = this.inner.director;
    return counters.values.subarray(0, counters.serviceRow(8));
  }

  /** All tables that must be equal. */
  tables(): Buffer[] {
    const { counters, connections } = this.inner.director;
    const { words, highWater } = connections.table;
    const memory = words.slice(0, (highWater + 1) * ENTRY_WORDS);
    for (let at = 0; at < memory.length; at += ENTRY_WORDS) memory[at + NEXT] = memory[at + HASH] = 0;
    const rows = counters.values.slice(counters.destinationRow(0), counters.destinationRow(SLOTS));
    const gauges = counters.gauges.slice(0, SLOTS * GAUGES);
    return [memory, rows, gauges].map(({ buffer }) => Buffer.from(buffer));
  }
}

/**
 * Hand-off of frames between workers: a ring for each ordered pair, in shared memory, with one
 * writer and one reader. A frame is copied in and out: each worker has a Umem of its own.
 *
 *      Int32   [0] written: the writer's       [16] read: the reader's          a cache line each; both only grow, and wrap
 *      slots   | device | length | stage | unused | 2 | frame …      |          of frameSize bytes; the frame is aligned as in a Umem
 *
 * The reader sees new frames when the writer publishes them, once per batch.
 */
import type { Umem } from '../../device/umem.js';

const SLOTS = 512;
const READ = 16;
const LINES = 128;
/** Bytes in front of a slot's frame. */
const LEAD = 18;

export class HandoffRing {
  private readonly i32: Int32Array;
  private readonly u8: Uint8Array;
  private readonly slot: number;
  private written: number;
  private done: number;
  /** Fields of the frame that `take` found. */
  device = 0;
  length = 0;
  stage = 0;

  /**
   * `buffer`: `HandoffRing.memory` for the same Umem frame size. A worker that is started anew goes
   * on where the one before it stopped.
   */
  constructor(buffer: SharedArrayBuffer) {
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.slot = (buffer.byteLength - LINES) / SLOTS;
    this.written = Atomics.load(this.i32, 0);
    this.done = Atomics.load(this.i32, READ);
  }

  /** The memory is not resident until it is used. */
  static memory(frameSize: number): SharedArrayBuffer {
    return new SharedArrayBuffer(LINES + SLOTS * frameSize);
  }

  /** Free slots for the writer. */
  get room(): number {
    return SLOTS - ((this.written - Atomics.load(this.i32, READ)) | 0);
  }

  /** Writer: copies the frame into a slot. The frame stays with the caller. There must be room. */
  put(umem: Umem, device: number, frame: number, len: number, stage: number): void {
    const at = LINES + (this.written & (SLOTS - 1)) * this.slot;
    this.i32[at >> 2] = device;
    this.i32[(at >> 2) + 1] = len;
    this.i32[(at >> 2) + 2] = stage;
    copy(umem.i32, umem.u8, frame, this.i32, this.u8, at + LEAD, len);
    this.written = (this.written + 1) | 0;
  }

  /** Writer: makes the copied frames visible to the reader. */
  publish(): void {
    Atomics.store(this.i32, 0, this.written);
  }

  /** Reader: number of frames that wait. */
  get waiting(): number {
    return (Atomics.load(this.i32, 0) - this.done) | 0;
  }

  /**
   * Reader: copies the next frame into a new frame of the Umem and returns it. −1: the Umem has
   * none free, and the frame goes on waiting.
   */
  take(umem: Umem): number {
    const frame = umem.alloc();
    if (frame < 0) return -1;
    const at = LINES + (this.done & (SLOTS - 1)) * this.slot;
    this.device = this.i32[at >> 2]!;
    this.length = this.i32[(at >> 2) + 1]!;
    this.stage = this.i32[(at >> 2) + 2]!;
    copy(this.i32, this.u8, at + LEAD, umem.i32, umem.u8, frame, this.length);
    this.done = (this.done + 1) | 0;
    Atomics.store(this.i32, READ, this.done);
    return frame;
  }
}

/**
 * Copies word by word where both sides are aligned alike, up to 3 bytes more on either end. Typed
 * array views and calls would cost more, and allocate.
 */
function copy(
  from: Int32Array,
  fromBytes: Uint8Array,
  source: number,
  to: Int32Array,
  toBytes: Uint8Array,
  target: number,
  len: number,
): void {
  if (((source - target) & 3) !== 0) {
    for (let i = 0; i < len; i++) toBytes[target + i] = fromBytes[source + i]!;
    return;
  }
  const shift = (source - target) >> 2;
  for (let i = target >> 2, end = (target + len + 3) >> 2; i < end; i++) to[i] = from[i + shift]!;
}

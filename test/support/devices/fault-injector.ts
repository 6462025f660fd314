/**
 * A device that wraps another one and injects faults: it loses, corrupts or duplicates received
 * frames.
 */
import { Batch } from '../../../src/device/batch.js';
import type { Device, DeviceStats } from '../../../src/device/device.js';
import { DeviceError } from '../../../src/device/error.js';
import type { Umem } from '../../../src/device/umem.js';

export interface FaultOptions {
  /** The same seed makes the same faults for the same frames. */
  seed: number;
  /** Shares of the received frames, 0 to 1, tested in this order. A frame has at most one fault. */
  drop?: number;
  corrupt?: number;
  duplicate?: number;
}

/** Number of faults so far. */
export interface FaultCounts {
  dropped: number;
  corrupted: number;
  duplicated: number;
}

/**
 * Loses or duplicates some received frames, or changes one bit of them. Sent frames are not
 * changed.
 */
export class FaultInjector implements Device {
  readonly counts: FaultCounts = { dropped: 0, corrupted: 0, duplicated: 0 };
  private readonly raw: Batch;
  private head = 0;
  private state: number;
  private readonly drop: number;
  private readonly corrupt: number;
  private readonly duplicate: number;

  constructor(
    private readonly inner: Device,
    private readonly umem: Umem,
    { seed, drop = 0, corrupt = 0, duplicate = 0 }: FaultOptions,
  ) {
    if (![drop, corrupt, duplicate].every((share) => share >= 0) || drop + corrupt + duplicate > 1)
      throw new DeviceError(inner.name, 'fault shares must be ≥ 0 and together at most 1');
    this.state = seed | 0;
    this.drop = drop;
    this.corrupt = drop + corrupt;
    this.duplicate = drop + corrupt + duplicate;
    this.raw = new Batch(64);
  }

  get name(): string {
    return this.inner.name;
  }
  get kind(): string {
    return this.inner.kind;
  }
  get fd(): number {
    return this.inner.fd;
  }
  get stats(): DeviceStats {
    return this.inner.stats;
  }

  rx(batch: Batch): number {
    const before = batch.n;
    do {
      if (this.head === this.raw.n && !this.refill()) break;
      while (this.head < this.raw.n && batch.n < batch.capacity) this.pass(batch);
    } while (batch.n < batch.capacity);
    return batch.n - before;
  }

  private refill(): boolean {
    this.head = this.raw.n = 0;
    return this.inner.rx(this.raw) > 0;
  }

  private pass(batch: Batch): void {
    const offset = this.raw.offsets[this.head]!;
    const length = this.raw.lengths[this.head++]!;
    const fate = this.random();
    if (fate < this.drop) {
      this.counts.dropped++;
      this.umem.free(offset);
      return;
    }
    if (fate < this.corrupt) this.flipBit(offset, length);
    batch.push(offset, length);
    if (fate >= this.corrupt && fate < this.duplicate) this.double(offset, length, batch);
  }

  private flipBit(offset: number, length: number): void {
    const bit = Math.floor(this.random() * length * 8);
    const at = offset + (bit >> 3);
    this.umem.u8[at] = this.umem.u8[at]! ^ (1 << (bit & 7));
    this.counts.corrupted++;
  }

  /** The frame is not duplicated when the batch or the Umem is full. */
  private double(offset: number, length: number, batch: Batch): void {
    if (batch.n === batch.capacity) return;
    const copy = this.umem.alloc();
    if (copy < 0) return;
    this.umem.u8.copyWithin(copy, offset, offset + length);
    batch.push(copy, length);
    this.counts.duplicated++;
  }

  /** mulberry32: 0 ≤ x < 1. */
  private random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let x = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 0x100000000;
  }

  tx(batch: Batch): number {
    return this.inner.tx(batch);
  }

  close(): void {
    for (; this.head < this.raw.n; this.head++) this.umem.free(this.raw.offsets[this.head]!);
    this.inner.close();
  }
}

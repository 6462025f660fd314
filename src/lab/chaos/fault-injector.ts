/**
 * A device that wraps another one and injects faults: it loses, corrupts, duplicates or delays
 * received frames.
 *
 *      inner.rx ─► lost? ─► one bit changed? ─► twice? ─► held back until later frames have passed? ─► rx
 */
import { Batch } from '../../device/batch.js';
import type { Device } from '../../device/device.js';
import { DeviceError } from '../../device/error.js';
import type { Umem } from '../../device/umem.js';
import { WrappedDevice } from '../../device/wrapped.js';
import { type as etherType, HEADER } from '../../wire/ethernet.js';

/** Shares of the received frames, 0 to 1, tested in this order. A frame has at most one fault. */
export interface FaultShares {
  drop?: number;
  corrupt?: number;
  duplicate?: number;
  reorder?: number;
}

export interface FaultOptions extends FaultShares {
  /** The same seed makes the same faults for the same frames. */
  seed: number;
  /** Which of the WIRES it is. */
  wire?: number;
}

/** Number of faults so far. */
export interface FaultCounts {
  dropped: number;
  corrupted: number;
  duplicated: number;
  reordered: number;
}

/** Frames that are held back pass after so many others, or when none comes. */
const LATER = 3;
/**
 * Each of so many wires changes bits of columns of its own, of 16-bit words. Two bits of the same
 * column can leave the Internet checksum (RFC 1071) as it was, and nobody would see them.
 */
const WIRES = 3;
const COLUMNS = Math.floor(16 / WIRES);

/**
 * Loses, duplicates or delays some received frames, or changes one bit of them. Sent frames are not
 * changed. Frames without a checksum of their own, as those of ARP, are not corrupted: the wire's
 * check sequence would drop them.
 */
export class FaultInjector extends WrappedDevice {
  readonly counts: FaultCounts = { dropped: 0, corrupted: 0, duplicated: 0, reordered: 0 };
  private readonly raw: Batch;
  private readonly late = new Batch(64);
  private head = 0;
  private sinceLate = 0;
  private readonly wire: number;
  private state: number;
  private drop = 0;
  private corrupt = 0;
  private duplicate = 0;
  private reorder = 0;

  constructor(
    inner: Device,
    private readonly umem: Umem,
    { seed, wire = 0, ...shares }: FaultOptions,
  ) {
    super(inner);
    this.state = seed | 0;
    this.wire = wire;
    this.raw = new Batch(64);
    this.set(shares);
  }

  /** Puts other shares in force. Throws a DeviceError. */
  set({ drop = 0, corrupt = 0, duplicate = 0, reorder = 0 }: FaultShares): void {
    const shares = [drop, corrupt, duplicate, reorder];
    if (!shares.every((share) => share >= 0) || drop + corrupt + duplicate + reorder > 1)
      throw new DeviceError(this.inner.name, 'fault shares must be ≥ 0 and together at most 1');
    this.drop = drop;
    this.corrupt = drop + corrupt;
    this.duplicate = this.corrupt + duplicate;
    this.reorder = this.duplicate + reorder;
  }

  override rx(batch: Batch): number {
    const before = batch.n;
    do {
      if (this.head === this.raw.n && !this.refill()) break;
      while (this.head < this.raw.n && batch.n < batch.capacity) this.pass(batch);
    } while (batch.n < batch.capacity);
    if (batch.n === before || this.sinceLate >= LATER) this.release(batch);
    return batch.n - before;
  }

  /** Appends the frames that were held back. */
  private release(batch: Batch): void {
    const { late } = this;
    let n = 0;
    while (n < late.n && batch.push(late.offsets[n]!, late.lengths[n]!)) n++;
    late.offsets.copyWithin(0, n, late.n);
    late.lengths.copyWithin(0, n, late.n);
    late.n -= n;
    this.sinceLate = 0;
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
    if (fate >= this.duplicate && fate < this.reorder && this.late.push(offset, length)) {
      this.counts.reordered++;
      return;
    }
    if (this.late.n > 0) this.sinceLate++;
    if (fate < this.corrupt && this.isIp(offset, length)) this.flipBit(offset, length);
    batch.push(offset, length);
    if (fate >= this.corrupt && fate < this.duplicate) this.double(offset, length, batch);
  }

  private isIp(offset: number, length: number): boolean {
    const type = etherType(this.umem.view, offset);
    return length > HEADER && (type === 0x0800 || type === 0x86dd);
  }

  /** Behind the Ethernet header, in a column of 16-bit words that this wire may change. */
  private flipBit(offset: number, length: number): void {
    const column = (this.wire % WIRES) + WIRES * Math.floor(this.random() * COLUMNS);
    const word = Math.floor(this.random() * ((length - HEADER) >> 1));
    const at = offset + HEADER + 2 * word + (column < 8 ? 1 : 0);
    this.umem.u8[at] = this.umem.u8[at]! ^ (1 << (column & 7));
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

  override close(): void {
    for (; this.head < this.raw.n; this.head++) this.umem.free(this.raw.offsets[this.head]!);
    for (let i = 0; i < this.late.n; i++) this.umem.free(this.late.offsets[i]!);
    super.close();
  }
}

/** A device without a wire: a test injects frames and takes what was sent. */
import type { Batch } from '../../../src/device/batch.js';
import { type Device, type DeviceStats, newDeviceStats } from '../../../src/device/device.js';
import type { Umem } from '../../../src/device/umem.js';

/** Receives each sent frame. `bytes` is a copy that belongs to the receiver. */
export type Sink = (bytes: Uint8Array) => void;

export interface MemoryOptions {
  name?: string;
  /** Called for every frame sent, instead of keeping it in `sent`. */
  sink?: Sink;
  /** Receives the injected frames again and again, and drops sent frames. */
  loop?: boolean;
}

export class MemoryDevice implements Device {
  readonly kind = 'memory';
  readonly fd = -1;
  readonly name: string;
  readonly stats: DeviceStats = newDeviceStats();
  /** Sent frames that were not taken yet, oldest first. Empty when there is a sink or a loop. */
  readonly sent: { bytes: Uint8Array }[] = [];
  private readonly queue: Uint8Array[] = [];
  private head = 0;
  private readonly loop: boolean;
  private readonly sink: Sink | undefined;

  constructor(
    private readonly umem: Umem,
    options: MemoryOptions = {},
  ) {
    this.name = options.name ?? 'memory';
    this.loop = options.loop ?? false;
    this.sink = options.sink;
  }

  /**
   * Queues a frame for `rx`. `rx` copies it, so do not change it before. Returns false when it is
   * longer than the frames of the Umem.
   */
  inject(bytes: Uint8Array): boolean {
    if (bytes.length > this.umem.capacity) {
      this.stats.rxOversize++;
      return false;
    }
    this.queue.push(bytes);
    return true;
  }

  /** Number of injected frames that `rx` has not returned yet. */
  get pending(): number {
    return this.queue.length - this.head;
  }

  /** The frames sent since the last call. */
  take(): Uint8Array[] {
    return this.sent.splice(0).map((frame) => frame.bytes);
  }

  rx(batch: Batch): number {
    const before = batch.n;
    while (this.head < this.queue.length && batch.n < batch.capacity) {
      const bytes = this.queue[this.head]!;
      const offset = this.umem.put(bytes);
      if (offset < 0) break; // every frame is in use: it waits in the queue
      batch.push(offset, bytes.length);
      this.stats.rxPackets++;
      this.stats.rxBytes += bytes.length;
      this.next();
    }
    return batch.n - before;
  }

  private next(): void {
    if (++this.head < this.queue.length) return;
    this.head = 0;
    if (!this.loop) this.queue.length = 0;
  }

  tx(batch: Batch): number {
    const n = batch.n;
    for (let i = 0; i < n; i++) {
      const offset = batch.offsets[i]!;
      const length = batch.lengths[i]!;
      if (!this.loop) this.keep(this.umem.u8.slice(offset, offset + length));
      this.stats.txBytes += length;
      this.umem.free(offset);
    }
    this.stats.txPackets += n;
    batch.n = 0;
    return n;
  }

  private keep(bytes: Uint8Array): void {
    if (this.sink) this.sink(bytes);
    else this.sent.push({ bytes });
  }

  close(): void {
    this.queue.length = 0;
    this.head = 0;
  }
}

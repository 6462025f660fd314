/**
 * Cutter: cuts a packet of a large frame (large-frames.ts) into ordinary frames, where it cannot be
 * forwarded in one piece. Each has its whole checksum, as if the sender had sent it alone.
 *
 *     large frame | Ethernet IP TCP | payload ………………………………… |
 *                   └─ begin ─► fill ─► up to 64 frames ─► fill ─► … ─► end: the large frame is free
 */
import { addressAt } from '../sys/memory.js';
import type { Batch } from './batch.js';
import { Segmenter } from './gso.js';
import type { Umem } from './umem.js';

export class Cutter {
  private readonly segmenter: Segmenter;

  constructor(private readonly umem: Umem) {
    const address = addressAt(umem.buffer);
    this.segmenter = new Segmenter(umem, address, umem.u8, address);
  }

  /**
   * Begins with the large frame at `frame`. Returns false when it cannot be cut; the caller then
   * still owns it.
   */
  begin(frame: number, len: number): boolean {
    const { large } = this.umem;
    return this.segmenter.begin(frame, len, large.gsoType(frame), large.gsoSize(frame), large.l4(frame), false);
  }

  /**
   * Appends the next frames to `batch` while it has room. Returns how many are in it: none at the
   * end of the packet, or when the Umem has no free frame.
   */
  fill(batch: Batch): number {
    const { segmenter, umem } = this;
    while (segmenter.left > 0 && batch.n < batch.capacity && umem.freeFrames > 0) {
      const frame = umem.alloc();
      batch.push(frame, segmenter.next(frame));
    }
    return batch.n;
  }

  /** The whole packet was cut. */
  get done(): boolean {
    return this.segmenter.left === 0;
  }
}

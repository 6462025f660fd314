/**
 * Batch: a fixed array of frames that are received or sent together. The arrays are parallel: the
 * offset of a frame in the Umem, and its length in bytes with the Ethernet header.
 */
export class Batch {
  n = 0;
  readonly offsets: Int32Array;
  readonly lengths: Int32Array;

  constructor(readonly capacity = 64) {
    this.offsets = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
  }

  /**
   * Appends a frame. Returns false when the batch is full; the caller then still owns the frame.
   */
  push(offset: number, len: number): boolean {
    if (this.n === this.capacity) return false;
    this.offsets[this.n] = offset;
    this.lengths[this.n++] = len;
    return true;
  }

  /** Removes the first `count` frames. The frames stay in use. */
  removeFirst(count: number): void {
    if (count < this.n) {
      this.offsets.copyWithin(0, count, this.n);
      this.lengths.copyWithin(0, count, this.n);
    }
    this.n -= count;
  }
}

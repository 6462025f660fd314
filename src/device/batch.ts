/** Frames on their way: parallel arrays of offsets into the Umem and lengths (Ethernet header included). */
export class Batch {
  n = 0;
  readonly offsets: Int32Array;
  readonly lengths: Int32Array;

  constructor(readonly capacity = 64) {
    this.offsets = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
  }

  /** False when the batch is full; the frame is then still the caller's. */
  push(offset: number, len: number): boolean {
    if (this.n === this.capacity) return false;
    this.offsets[this.n] = offset;
    this.lengths[this.n++] = len;
    return true;
  }
}

/**
 * Umem: the block of memory that holds all frames. A frame is an offset into the block, never an
 * object.
 *
 *     base = k * frameSize                              (frameSize is a power of two)
 *     |<---- 256 ---->|2|<- Ethernet 14 ->|<- IP ...            |
 *     ^ base          ^                   ^ base + 272: 4-byte aligned
 *                     offset of alloc() = base + 258
 *
 * The headroom is 258 bytes: the 256 bytes that AF_XDP reserves (XDP_PACKET_HEADROOM), and 2 bytes
 * that align the IP header. So an Int32Array can read the IP header, and a tunnel header is
 * prepended without a copy. Free frames are a stack: the frame that was freed last, and is still in
 * the cache, is used first. Behind them are large frames, for GSO packets (large-frames.ts).
 */
import { LARGE_FRAME, LargeFrames } from './large-frames.js';

/** Bytes before the Ethernet header of a new frame. */
export const HEADROOM = 258;

export class Umem {
  readonly buffer: ArrayBufferLike;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly view: DataView;
  /** By frame: the number of the AF_XDP socket through which the kernel has it; 0: none. */
  readonly held: Uint8Array;
  readonly large: LargeFrames;
  /** A frame at this offset or above is a large one. */
  readonly largeFrom: number;
  private readonly heldWords: Int32Array;
  private readonly free_: Int32Array;
  private nFree = 0;
  private reserved = 0;

  /**
   * `frameSize` in bytes, a power of two. `buffer`: mapped memory for all frames (AF_XDP); left
   * out, the memory is an ArrayBuffer. `held`: memory of frameCount bytes; frames that are not 0 in
   * it are in use from the beginning. `large`: number of large frames.
   */
  constructor(
    readonly frameCount = 4096,
    readonly frameSize = 2048,
    buffer?: ArrayBufferLike,
    held = new Uint8Array(frameCount),
    large = 0,
  ) {
    this.buffer = buffer ?? new ArrayBuffer(frameCount * frameSize + large * LARGE_FRAME);
    this.held = held;
    this.heldWords = new Int32Array(held.buffer, held.byteOffset, held.length >> 2);
    this.largeFrom = frameCount * frameSize;
    this.large = new LargeFrames(this.largeFrom, large, HEADROOM);
    this.u8 = new Uint8Array(this.buffer);
    this.u16 = new Uint16Array(this.buffer);
    this.i32 = new Int32Array(this.buffer);
    this.view = new DataView(this.buffer);
    this.free_ = new Int32Array(frameCount);
    this.restock();
  }

  /**
   * Frees all frames that the kernel does not have, as `held` says. For a Umem of which no frame is
   * in use here: another process has used the frames meanwhile.
   */
  restock(): void {
    this.nFree = 0;
    this.large.restock();
    for (let i = this.frameCount - this.reserved - 1; i >= 0; i--)
      if (this.held[i] === 0) this.free_[this.nFree++] = i * this.frameSize;
  }

  /** Until `restock` only the first `n` frames are used, whoever has them. */
  useFirst(n: number): void {
    this.nFree = 0;
    while (this.nFree < n) this.free_[this.nFree] = this.nFree++ * this.frameSize;
  }

  /** Bytes of the longest frame, with the Ethernet header, that fits behind the headroom. */
  get capacity(): number {
    return this.frameSize - HEADROOM;
  }

  get freeFrames(): number {
    return this.nFree;
  }

  /** Number of frames without the reserved ones. */
  get usableFrames(): number {
    return this.frameCount - this.reserved;
  }

  /**
   * Number of frames that the kernel has. Reads the bytes of `held` four at a time: a loop over
   * 131,072 single bytes would stop forwarding for a fifth of a millisecond. The long loop is the
   * last: V8 compiles the code while it runs, and throws it away at what follows it.
   */
  get heldFrames(): number {
    const { heldWords } = this;
    let held = 0;
    for (let i = heldWords.length << 2; i < this.held.length; i++) if (this.held[i] !== 0) held++;
    for (let i = 0; i < heldWords.length; i++) held += nonZeroBytes(heldWords[i]!);
    return held;
  }

  /**
   * Allocates a frame. Returns the offset of its Ethernet header, or −1 when all frames are in use.
   */
  alloc(): number {
    if (this.nFree === 0) return -1;
    return this.free_[--this.nFree]! + HEADROOM;
  }

  /**
   * Removes the last `n` frames, which are adjacent, from the free frames for good: room for a
   * packet longer than a frame. Returns an offset in the first of them, as `alloc` does; −1 when
   * one of them is in use.
   */
  reserve(n: number): number {
    for (let i = 0; i < n; i++)
      if (i >= this.nFree || this.free_[i] !== (this.frameCount - 1 - i) * this.frameSize) return -1;
    this.nFree -= n;
    this.reserved += n;
    this.free_.copyWithin(0, n, n + this.nFree);
    return (this.frameCount - n) * this.frameSize + HEADROOM;
  }

  /** The offset that `alloc` returned for the frame that `offset` lies in. */
  start(offset: number): number {
    return (offset & ~(this.frameSize - 1)) + HEADROOM;
  }

  /** Frees the frame that `offset` lies in; the offset may point anywhere into the frame. */
  free(offset: number): void {
    if (offset >= this.largeFrom) this.large.free(offset);
    else this.free_[this.nFree++] = offset & ~(this.frameSize - 1);
  }

  /**
   * Copies `bytes` into a new frame and returns its offset; −1 when no frame is free or the bytes
   * do not fit.
   */
  put(bytes: Uint8Array): number {
    if (bytes.length > this.capacity) return -1;
    const offset = this.alloc();
    if (offset >= 0) this.u8.set(bytes, offset);
    return offset;
  }
}

/** Number of bytes in `word` that are not 0. */
function nonZeroBytes(word: number): number {
  // Bit 7 of a byte: one of its bits is set. The sum of the four flags ends in the highest byte.
  const flags = (((word & 0x7f7f7f7f) + 0x7f7f7f7f) | word) & 0x80808080;
  return Math.imul(flags >>> 7, 0x01010101) >>> 24;
}

/**
 * The one block of memory all frames live in. A frame is an offset into it, never an object.
 *
 *     base = k * frameSize                              (frameSize is a power of two)
 *     |<---- 256 ---->|2|<- Ethernet 14 ->|<- IP ...            |
 *     ^ base          ^                   ^ base + 272: 4-byte aligned
 *                     offset handed out = base + 258
 *
 * 258 bytes of headroom: AF_XDP's fixed 256 plus 2 that align the IP header, so that it can be read through an Int32Array
 * and IPIP encapsulation prepends without a copy. Free frames are a stack, so the warmest one is reused first.
 */
export const HEADROOM = 258;

export class Umem {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly view: DataView;
  private readonly free_: Int32Array;
  private nFree: number;

  /** `buffer` is given when the memory is mapped (AF_XDP); its length must be frameSize * frameCount. */
  constructor(
    readonly frameCount = 4096,
    readonly frameSize = 2048,
    readonly buffer: ArrayBufferLike = new ArrayBuffer(frameCount * frameSize),
  ) {
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.view = new DataView(buffer);
    this.free_ = new Int32Array(frameCount);
    this.nFree = frameCount;
    for (let i = 0; i < frameCount; i++) this.free_[i] = (frameCount - 1 - i) * frameSize;
  }

  /** The longest frame (Ethernet header included) that fits behind the headroom. */
  get capacity(): number {
    return this.frameSize - HEADROOM;
  }

  get freeFrames(): number {
    return this.nFree;
  }

  /** A free frame's offset (where its Ethernet header goes), or −1 when all are in use. */
  alloc(): number {
    if (this.nFree === 0) return -1;
    return this.free_[--this.nFree]! + HEADROOM;
  }

  /**
   * Takes the last `n` frames, which lie side by side, for good: room for a packet longer than a frame. The offset in the
   * first of them, as `alloc` gives it; −1 when some were in use before.
   */
  reserve(n: number): number {
    for (let i = 0; i < n; i++)
      if (i >= this.nFree || this.free_[i] !== (this.frameCount - 1 - i) * this.frameSize) return -1;
    this.nFree -= n;
    this.free_.copyWithin(0, n, n + this.nFree);
    return (this.frameCount - n) * this.frameSize + HEADROOM;
  }

  /** Where the Ethernet header goes by default in the frame that `offset` lies in. */
  start(offset: number): number {
    return (offset & ~(this.frameSize - 1)) + HEADROOM;
  }

  /** Gives back the frame that `offset` lies in, wherever in the frame it points. */
  free(offset: number): void {
    this.free_[this.nFree++] = offset & ~(this.frameSize - 1);
  }

  /** Copies `bytes` into a new frame; −1 when none is free or it does not fit. */
  put(bytes: Uint8Array): number {
    if (bytes.length > this.capacity) return -1;
    const offset = this.alloc();
    if (offset >= 0) this.u8.set(bytes, offset);
    return offset;
  }
}

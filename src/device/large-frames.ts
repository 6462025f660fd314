/**
 * Large frames: room for GSO packets of up to 64 KiB that are forwarded in one piece. They lie
 * behind the ordinary frames of the Umem, and there are few.
 *
 *     | frame 0 | frame 1 | … | frame n−1 | large 0 | large 1 | …
 *                                         ^ from
 *     a large frame:  |<- headroom 258 ->|<- Ethernet, IP, TCP, payload ->|      gso size and type: beside
 *
 * What lies in a large frame is always a GSO packet that is longer than an ordinary frame, and so
 * than any MTU. Its transport checksum has no meaning while the director has it: who sends it
 * (gso-header.ts) or cuts it (gso.ts) writes it anew.
 */

/** Bytes of a large frame: headroom, the longest IP packet, Ethernet header and tags. */
export const LARGE_FRAME = 0x11000;

export class LargeFrames {
  /**
   * By large frame: payload bytes of a segment, VIRTIO_NET_HDR_GSO_*, and where the transport
   * header begins.
   */
  private readonly sizes: Uint16Array;
  private readonly types: Uint8Array;
  private readonly starts: Uint16Array;
  private readonly free_: Int32Array;
  private nFree = 0;

  /** `from`: offset of the first large frame. `headroom` in bytes. */
  constructor(
    readonly from: number,
    readonly count: number,
    private readonly headroom: number,
  ) {
    this.sizes = new Uint16Array(count);
    this.types = new Uint8Array(count);
    this.starts = new Uint16Array(count);
    this.free_ = new Int32Array(count);
    this.restock();
  }

  /** Frees all. */
  restock(): void {
    this.nFree = 0;
    for (let i = this.count - 1; i >= 0; i--) this.free_[this.nFree++] = i;
  }

  /** Bytes of the longest packet, with the Ethernet header, that fits behind the headroom. */
  get capacity(): number {
    return LARGE_FRAME - this.headroom;
  }

  get freeFrames(): number {
    return this.nFree;
  }

  /** As `alloc` of the Umem: −1 when all are in use. */
  alloc(): number {
    return this.nFree === 0 ? -1 : this.start(this.free_[--this.nFree]!);
  }

  free(offset: number): void {
    this.free_[this.nFree++] = this.indexOf(offset);
  }

  /**
   * Notes how the packet is to be cut. `l4`: bytes before the transport header; 0 when the IP
   * header says it.
   */
  setGso(offset: number, type: number, size: number, l4: number): void {
    const index = this.indexOf(offset);
    this.types[index] = type;
    this.sizes[index] = size;
    this.starts[index] = l4;
  }

  gsoSize(offset: number): number {
    return this.sizes[this.indexOf(offset)]!;
  }

  gsoType(offset: number): number {
    return this.types[this.indexOf(offset)]!;
  }

  l4(offset: number): number {
    return this.starts[this.indexOf(offset)]!;
  }

  private start(index: number): number {
    return this.from + index * LARGE_FRAME + this.headroom;
  }

  private indexOf(offset: number): number {
    return Math.floor((offset - this.from) / LARGE_FRAME);
  }
}

/**
 * PacketRing: the receive ring of a packet socket, for both layouts. `peek` sets the fields for the
 * next packet; they are valid until `advance`. Offsets are bytes into the arrays. virtio_net_hdr is
 * the 10 bytes before `source`.
 */
export interface PacketRing {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  /** Memory address of the arrays. */
  readonly address: number;
  /** Offset of the Ethernet header: 2 bytes behind a word, so that the IP header is aligned. */
  source: number;
  /** Bytes of the packet in the ring. */
  length: number;
  /** The packet was longer than its room in the ring, and is truncated. */
  cut: boolean;
  /** The kernel has taken a VLAN tag out of the packet: `tci` and `tpid`, host order. */
  tagged: boolean;
  tci: number;
  tpid: number;
  /**
   * The packet has no place in the ring, and waits in the queue of the socket (slot-ring.ts). Only
   * the tag's fields are set.
   */
  readonly queued: boolean;
  /** Sets the fields for the next packet. Returns false when there is no packet. */
  peek(): boolean;
  /** Releases the packet: the kernel may use its memory again. */
  advance(): void;
}

/** The memory of a ring as plain data, valid in every thread: address and bytes of the mapping. */
export interface RingMemory {
  readonly kind: 'slots' | 'blocks';
  readonly address: number;
  readonly length: number;
  /** Bytes of a slot or block. */
  readonly unit: number;
  /** Offset at which reading begins. */
  readonly begin: number;
}

/**
 * A receive ring of a packet socket, whatever its layout. `peek` fills in the fields for the next packet, which stay valid
 * until `advance`; offsets are into the arrays. The virtio_net_hdr lies in the 10 bytes before `source`.
 */
export interface PacketRing {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  /** Where the arrays lie in this process's memory. */
  readonly address: number;
  /** The Ethernet header; 2 bytes behind a word, so that the IP header is aligned. */
  source: number;
  length: number;
  /** The packet is longer than the ring could hold. */
  cut: boolean;
  /** The kernel keeps a VLAN tag beside the packet. */
  tagged: boolean;
  tci: number;
  tpid: number;
  /** False when there is no packet. */
  peek(): boolean;
  /** Done with the packet: its memory may be the kernel's again. */
  advance(): void;
  unmap(): void;
}

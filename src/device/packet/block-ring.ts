/**
 * Receive ring of a packet socket, TPACKET_V3 (Documentation/networking/packet_mmap): blocks, which
 * the kernel fills with packets of any length.
 *
 *     block 0          block 1          block 2
 *     |pkt|pkt|pkt|..| |pkt|pkt|......| |                |
 *      status USER      status USER      status KERNEL: being filled
 *           ^ position, `left` packets of this block still to read
 *
 *     a packet: tpacket3_hdr | sockaddr_ll | … | virtio_net_hdr 10 | Ethernet frame
 *
 * The kernel passes a block to the process when the block is full or the retire time is over. The
 * block goes back as a whole after its last packet. PACKET_RESERVE adds 2 bytes, so that IP headers
 * are 4-byte aligned, as in the Umem.
 */
import { MAP_SHARED, map, viewAt } from '../../sys/memory.js';
import {
  BLOCK,
  PACKET_RESERVE,
  PACKET_VERSION,
  requestRing,
  SOL_PACKET,
  setPacketOption,
  TP_STATUS_KERNEL,
  TP_STATUS_USER,
  TP_STATUS_VLAN_TPID_VALID,
  TP_STATUS_VLAN_VALID,
  TPACKET,
  TPACKET_V3,
} from '../../sys/packet-socket.js';
import { TYPE_VLAN } from '../../wire/ethernet.js';
import type { PacketRing, RingMemory } from './ring.js';

export interface BlockSize {
  /** How many blocks. */
  blocks: number;
  /**
   * Bytes of a block, a multiple of the page size. Below 64 KiB the kernel truncates GSO packets.
   */
  blockSize: number;
  /** Milliseconds after which the kernel passes on a block that is not full. */
  retireMs: number;
}

/** Sets up the ring of socket `fd`, which must have PACKET_VNET_HDR set. Throws a SystemError. */
export function openBlockRing(fd: number, { blocks, blockSize, retireMs }: BlockSize): RingMemory {
  setPacketOption(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V3, 'PACKET_VERSION');
  setPacketOption(fd, SOL_PACKET, PACKET_RESERVE, 2, 'PACKET_RESERVE');
  requestRing(fd, blocks, blockSize, retireMs);
  const length = blocks * blockSize;
  return { kind: 'blocks', address: map(length, MAP_SHARED, fd, 0).address, length, unit: blockSize, begin: 0 };
}

export class BlockRing implements PacketRing {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly address: number;
  source = 0;
  length = 0;
  cut = false;
  readonly queued = false;
  tagged = false;
  tci = 0;
  tpid = TYPE_VLAN;
  private block = 0;
  private left = 0;
  private held = false;
  private position = 0;

  private readonly blocks: number;
  private readonly blockSize: number;

  constructor({ address, length, unit }: RingMemory) {
    const buffer = viewAt(address, length);
    this.blockSize = unit;
    this.blocks = length / unit;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.address = address;
  }

  peek(): boolean {
    if (this.held) return true;
    while (this.left === 0) {
      const base = this.block * this.blockSize;
      if ((Atomics.load(this.i32, (base + BLOCK.status) >> 2) & TP_STATUS_USER) === 0) return false;
      this.left = this.i32[(base + BLOCK.packets) >> 2]!;
      this.position = base + this.i32[(base + BLOCK.first) >> 2]!;
      if (this.left === 0) this.release();
    }
    this.held = true;
    this.read(this.position);
    return true;
  }

  private read(at: number): void {
    const status = this.i32[(at + TPACKET.status) >> 2]!;
    this.source = at + this.u16[(at + TPACKET.mac) >> 1]!;
    this.length = this.i32[(at + TPACKET.snaplen) >> 2]!;
    this.cut = this.length < this.i32[(at + TPACKET.len) >> 2]!;
    this.tagged = (status & TP_STATUS_VLAN_VALID) !== 0;
    this.tci = this.u16[(at + TPACKET.vlanTci) >> 1]!;
    this.tpid = (status & TP_STATUS_VLAN_TPID_VALID) !== 0 ? this.u16[(at + TPACKET.vlanTpid) >> 1]! : TYPE_VLAN;
  }

  advance(): void {
    this.position += this.i32[(this.position + TPACKET.next) >> 2]!;
    this.held = false;
    if (--this.left === 0) this.release();
  }

  private release(): void {
    const base = this.block * this.blockSize;
    Atomics.store(this.i32, (base + BLOCK.status) >> 2, TP_STATUS_KERNEL);
    this.block = (this.block + 1) % this.blocks;
  }
}

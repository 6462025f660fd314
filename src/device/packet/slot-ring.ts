/**
 * Receive ring of a packet socket, TPACKET_V2 (Documentation/networking/packet_mmap): slots of one
 * size, one packet each. The kernel passes each packet to the process at once and wakes it.
 *
 *     | slot 0 | slot 1 | slot 2 | …                         | room for one GSO packet |
 *      USER     USER|COPY KERNEL: the next one to be filled    ^ what a COPY slot had no place for
 *      ^ at
 *     a slot: tpacket2_hdr 32 | sockaddr_ll | … | virtio_net_hdr 10 | Ethernet frame
 *
 * The kernel keeps a packet that does not fit into a slot in the queue of the socket
 * (PACKET_COPY_THRESH), where it is read from. If the queue is full, the packet is lost, and its
 * slot is skipped.
 */

import { MSG_DONTWAIT, recvAt } from '../../sys/libc.js';
import { MAP_SHARED, mapWithRoom, memcpyAt, viewAt } from '../../sys/memory.js';
import {
  PACKET_COPY_THRESH,
  PACKET_RESERVE,
  PACKET_VERSION,
  requestSlots,
  SOL_PACKET,
  setPacketOption,
  setQueue,
  TP_STATUS_COPY,
  TP_STATUS_KERNEL,
  TP_STATUS_USER,
  TP_STATUS_VLAN_TPID_VALID,
  TP_STATUS_VLAN_VALID,
  TPACKET_V2,
  TPACKET2,
  VNET,
} from '../../sys/packet-socket.js';
import { TYPE_VLAN } from '../../wire/ethernet.js';
import type { PacketRing, RingMemory } from './ring.js';

/** Bytes. */
const SLOT = 2048;
/** Bytes: 64 KiB, and headers. */
const ROOM = 0x12000;
/** Bytes of the queue of the socket. */
const QUEUE = 32 << 20;
/**
 * Bytes before virtio_net_hdr, which align the Ethernet header as in the slots: 2 bytes behind a
 * word.
 */
const PAD = 4;

/**
 * Sets up a ring of `slots`, a power of two, for socket `fd`, which must have PACKET_VNET_HDR set.
 * Throws a SystemError.
 */
export function openSlotRing(fd: number, slots: number): RingMemory {
  setPacketOption(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2, 'PACKET_VERSION');
  setPacketOption(fd, SOL_PACKET, PACKET_RESERVE, 2, 'PACKET_RESERVE');
  setPacketOption(fd, SOL_PACKET, PACKET_COPY_THRESH, 1, 'PACKET_COPY_THRESH');
  setQueue(fd, 'receive', QUEUE);
  requestSlots(fd, slots, SLOT);
  return mapSlotRing(fd, slots * SLOT, 0);
}

/**
 * Maps the ring of a socket that has one, also a socket of another process. `begin`: where its
 * reader has stopped. Throws a SystemError.
 */
export function mapSlotRing(fd: number, bytes: number, begin: number): RingMemory {
  const { address } = mapWithRoom(bytes, MAP_SHARED, fd, ROOM);
  return { kind: 'slots', address, length: bytes + ROOM, unit: SLOT, begin };
}

/** Bytes of the slots alone. */
export function slotBytes({ length }: RingMemory): number {
  return length - ROOM;
}

export class SlotRing implements PacketRing {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly address: number;
  source = 0;
  length = 0;
  cut = false;
  queued = false;
  tagged = false;
  tci = 0;
  tpid = TYPE_VLAN;
  private readonly room: number;
  private at: number;
  private held = false;

  constructor(
    private readonly fd: number,
    { address, length, begin }: RingMemory,
  ) {
    const buffer = viewAt(address, length);
    this.room = length - ROOM;
    this.at = begin;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.address = address;
  }

  /** Where the next packet is read. */
  get position(): number {
    return this.at;
  }

  set position(at: number) {
    this.at = at;
  }

  peek(): boolean {
    if (this.held) return true;
    const status = Atomics.load(this.i32, (this.at + TPACKET2.status) >> 2);
    if ((status & TP_STATUS_USER) === 0) return false;
    this.held = true;
    this.tagged = (status & TP_STATUS_VLAN_VALID) !== 0;
    this.tci = this.u16[(this.at + TPACKET2.vlanTci) >> 1]!;
    this.tpid = (status & TP_STATUS_VLAN_TPID_VALID) !== 0 ? this.u16[(this.at + TPACKET2.vlanTpid) >> 1]! : TYPE_VLAN;
    this.queued = (status & TP_STATUS_COPY) !== 0;
    if (!this.queued) this.readSlot();
    return true;
  }

  private readSlot(): void {
    this.source = this.at + this.u16[(this.at + TPACKET2.mac) >> 1]!;
    this.length = this.i32[(this.at + TPACKET2.snaplen) >> 2]!;
    this.cut = this.length < this.i32[(this.at + TPACKET2.len) >> 2]!;
  }

  /** Reads the packet that waits in the queue. */
  readQueued(): void {
    this.setQueued(this.receiveQueued(this.address + this.room + PAD, ROOM - PAD));
  }

  /**
   * Reads it, virtio_net_hdr first, to memory at `address`. Returns the number of bytes, at most
   * `space`; below 0 when the packet is lost. The first recv returns a pending error of the socket
   * (its interface went down), if there is one; the second the packet.
   */
  receiveQueued(address: number, space: number): number {
    const got = recvAt(this.fd, address, space, MSG_DONTWAIT);
    return got < 0 ? recvAt(this.fd, address, space, MSG_DONTWAIT) : got;
  }

  /** Takes back what `receiveQueued` has read to `address`: the fields are those of the packet. */
  putBack(address: number, bytes: number): void {
    if (bytes > 0) memcpyAt(this.address + this.room + PAD, address, bytes);
    this.setQueued(bytes);
  }

  private setQueued(got: number): void {
    this.queued = false;
    this.source = this.room + PAD + VNET.length;
    this.length = Math.max(0, got - VNET.length);
    this.cut = this.length < this.i32[(this.at + TPACKET2.len) >> 2]!;
  }

  advance(): void {
    Atomics.store(this.i32, (this.at + TPACKET2.status) >> 2, TP_STATUS_KERNEL);
    this.at = (this.at + SLOT) % this.room;
    this.held = false;
  }
}

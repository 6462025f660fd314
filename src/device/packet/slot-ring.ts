/**
 * TPACKET_V2: slots of one size, a packet each, handed over (and woken for) at once: no latency.
 *
 *     | slot 0 | slot 1 | slot 2 | …                         | room for one super-packet |
 *      USER     USER|COPY KERNEL: the next one to be filled    ^ what a COPY slot had no place for
 *      ^ at
 *     a slot: tpacket2_hdr 32 | sockaddr_ll | … | virtio_net_hdr 10 | Ethernet frame
 *
 * A packet that does not fit its slot is kept whole in the socket's queue (PACKET_COPY_THRESH) and read from there. If the
 * queue is full it is lost, and its slot is passed over.
 */
import { addressAt, MAP_SHARED, type Mapping, MSG_DONTWAIT, mapWithRoom, recvAt } from '../../sys/libc.js';
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
import type { PacketRing } from './ring.js';

const SLOT = 2048;
const ROOM = 0x12000; // 64 KiB and a page's worth of headers
const QUEUE = 32 << 20;
/** Puts the Ethernet header behind the virtio header and 2 bytes behind a word, as in the slots. */
const PAD = 4;
const TPID_DEFAULT = 0x8100;

export class SlotRing implements PacketRing {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly address: number;
  source = 0;
  length = 0;
  cut = false;
  tagged = false;
  tci = 0;
  tpid = TPID_DEFAULT;
  private readonly mapping: Mapping;
  private readonly room: number;
  private at = 0;
  private held = false;

  /** Sets up a ring of `slots` (a power of two) for socket `fd`, PACKET_VNET_HDR set before. Throws SystemError. */
  constructor(
    private readonly fd: number,
    slots: number,
  ) {
    setPacketOption(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2, 'PACKET_VERSION');
    setPacketOption(fd, SOL_PACKET, PACKET_RESERVE, 2, 'PACKET_RESERVE');
    setPacketOption(fd, SOL_PACKET, PACKET_COPY_THRESH, 1, 'PACKET_COPY_THRESH');
    setQueue(fd, 'receive', QUEUE);
    requestSlots(fd, slots, SLOT);
    this.room = slots * SLOT;
    this.mapping = mapWithRoom(this.room, MAP_SHARED, fd, ROOM);
    this.u8 = new Uint8Array(this.mapping.buffer);
    this.u16 = new Uint16Array(this.mapping.buffer);
    this.i32 = new Int32Array(this.mapping.buffer);
    this.address = addressAt(this.mapping.buffer);
  }

  peek(): boolean {
    if (this.held) return true;
    const status = Atomics.load(this.i32, (this.at + TPACKET2.status) >> 2);
    if ((status & TP_STATUS_USER) === 0) return false;
    this.held = true;
    this.tagged = (status & TP_STATUS_VLAN_VALID) !== 0;
    this.tci = this.u16[(this.at + TPACKET2.vlanTci) >> 1]!;
    this.tpid =
      (status & TP_STATUS_VLAN_TPID_VALID) !== 0 ? this.u16[(this.at + TPACKET2.vlanTpid) >> 1]! : TPID_DEFAULT;
    if ((status & TP_STATUS_COPY) !== 0) this.readWhole();
    else this.readSlot();
    return true;
  }

  private readSlot(): void {
    this.source = this.at + this.u16[(this.at + TPACKET2.mac) >> 1]!;
    this.length = this.i32[(this.at + TPACKET2.snaplen) >> 2]!;
    this.cut = this.length < this.i32[(this.at + TPACKET2.len) >> 2]!;
  }

  /** A pending error of the socket (its interface went down) is reported first, once, in place of the packet. */
  private readWhole(): void {
    const to = this.address + this.room + PAD;
    const space = ROOM - PAD;
    let got = recvAt(this.fd, to, space, MSG_DONTWAIT);
    if (got < 0) got = recvAt(this.fd, to, space, MSG_DONTWAIT);
    this.source = this.room + PAD + VNET.length;
    this.length = Math.max(0, got - VNET.length);
    this.cut = this.length < this.i32[(this.at + TPACKET2.len) >> 2]!;
  }

  advance(): void {
    Atomics.store(this.i32, (this.at + TPACKET2.status) >> 2, TP_STATUS_KERNEL);
    this.at = (this.at + SLOT) % this.room;
    this.held = false;
  }

  unmap(): void {
    this.mapping.unmap();
  }
}

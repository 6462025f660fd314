import { addressAt, check, close, getsockopt, memcpyAt, socket } from '../sys/libc.js';
import {
  AF_PACKET,
  bindPacket,
  ETH_P_ALL,
  joinPromiscuous,
  PACKET_IGNORE_OUTGOING,
  PACKET_STATISTICS,
  PACKET_VNET_HDR,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_PACKET,
  setPacketOption,
  TP_STATUS_VLAN_TPID_VALID,
  TP_STATUS_VLAN_VALID,
  TPACKET,
  VNET,
  VNET_NEEDS_CSUM,
} from '../sys/packet-socket.js';
import type { Batch } from './batch.js';
import { type Device, type DeviceStats, newDeviceStats } from './device.js';
import { deviceError } from './error.js';
import { ethernetIndex } from './ethernet-index.js';
import { type RingSize, RxRing } from './rx-ring.js';
import { Segmenter } from './segment.js';
import { TxSocket } from './tx-socket.js';
import type { Umem } from './umem.js';
import { finish } from './unfinished.js';

export interface PacketOptions extends Partial<RingSize> {
  /** Also take frames for other Ethernet addresses (off). */
  promiscuous?: boolean;
}

const SIZE: RingSize = { blocks: 32, blockSize: 1 << 18, retireMs: 1 };
const SHORT = 128;
const TAG = 4;

/**
 * A network interface through packet(7): a TPACKET_V3 ring for receiving, sendmmsg for sending. The kernel goes on seeing
 * every frame too; `Steal` drops its copy of what the director takes.
 *
 * A frame comes out as it would look on the wire: unfinished checksums are finished, VLAN tags put back, super-packets cut.
 */
export class PacketDevice implements Device {
  readonly kind = 'packet';
  readonly fd: number;
  private readonly counts: DeviceStats = newDeviceStats();
  private readonly ring: RxRing;
  private readonly sender: TxSocket;
  private readonly segmenter: Segmenter;
  private readonly umemAddress: number;
  private readonly kernelStats = new Uint32Array(3);
  private readonly kernelStatsLen = Uint32Array.of(12);
  private closed = false;

  /** Opens interface `name`. Throws a DeviceError that says what is wrong: no such interface, not Ethernet, no privilege. */
  constructor(
    private readonly umem: Umem,
    readonly name: string,
    options: PacketOptions = {},
  ) {
    this.umemAddress = addressAt(umem.buffer);
    const ifindex = ethernetIndex(name);
    try {
      this.fd = check(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), 'socket');
    } catch (error) {
      throw deviceError(name, error);
    }
    try {
      // The order matters: no header may be added to a ring that is there, and only the bind starts the frames.
      setPacketOption(this.fd, SOL_PACKET, PACKET_VNET_HDR, 1, 'PACKET_VNET_HDR');
      setPacketOption(this.fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, 'PACKET_IGNORE_OUTGOING');
      this.ring = new RxRing(this.fd, { ...SIZE, ...options });
      this.sender = new TxSocket(umem, this.counts, ifindex);
      bindPacket(this.fd, ifindex, ETH_P_ALL);
      if (options.promiscuous === true) joinPromiscuous(this.fd, ifindex);
    } catch (error) {
      close(this.fd);
      throw deviceError(name, error);
    }
    this.segmenter = new Segmenter(umem, this.umemAddress, this.ring.u8, this.ring.address);
  }

  /** Asks the kernel for its drops first: read it now and then, not per packet. */
  get stats(): DeviceStats {
    if (!this.closed && getsockopt(this.fd, SOL_PACKET, PACKET_STATISTICS, this.kernelStats, this.kernelStatsLen) === 0)
      this.counts.rxDropped += this.kernelStats[1]!;
    return this.counts;
  }

  rx(batch: Batch): number {
    if (this.closed) return 0; // the ring is unmapped: to read it would be a crash
    const before = batch.n;
    while (batch.n < batch.capacity && this.umem.freeFrames > 0) {
      const packet = this.ring.peek();
      if (packet < 0) break;
      if (this.segmenter.left > 0) this.segment(packet, batch);
      else this.receive(packet, batch);
      if (this.segmenter.left === 0) this.ring.advance();
    }
    return batch.n - before;
  }

  /** One packet of the ring becomes one frame, or is handed to the segmenter. */
  private receive(packet: number, batch: Batch): void {
    const { i32, u16, u8 } = this.ring;
    const len = i32[(packet + TPACKET.snaplen) >> 2]!;
    const source = packet + u16[(packet + TPACKET.mac) >> 1]!;
    const vnet = source - VNET.length;
    const tag = (i32[(packet + TPACKET.status) >> 2]! & TP_STATUS_VLAN_VALID) !== 0 ? TAG : 0;
    const cut = len < i32[(packet + TPACKET.len) >> 2]!;
    const csumStart = (u8[vnet + VNET.flags]! & VNET_NEEDS_CSUM) !== 0 ? u16[(vnet + VNET.csumStart) >> 1]! : 0;
    const gsoType = u8[vnet + VNET.gsoType]!;
    if (cut || len < 14) this.counts.rxOversize++;
    else if (gsoType !== 0) this.beginSegments(source, len, gsoType, u16[(vnet + VNET.gsoSize) >> 1]!, csumStart, tag);
    else if (len + tag > this.umem.capacity) this.counts.rxOversize++;
    else this.copy(packet, source, len, tag, csumStart, u16[(vnet + VNET.csumOffset) >> 1]!, batch);
  }

  private beginSegments(source: number, len: number, type: number, size: number, l4: number, tag: number): void {
    if (!this.segmenter.begin(source, len, type, size, l4, tag !== 0)) this.counts.rxOversize++;
  }

  private segment(packet: number, batch: Batch): void {
    const frame = this.umem.alloc();
    const len = this.segmenter.next(frame);
    this.putTag(packet, frame);
    this.give(frame, len, batch);
  }

  private copy(
    packet: number,
    source: number,
    len: number,
    tag: number,
    csumStart: number,
    csumField: number,
    batch: Batch,
  ): void {
    const frame = this.umem.alloc();
    if (tag === 0) this.copyBytes(frame, source, len);
    else {
      memcpyAt(this.umemAddress + frame, this.ring.address + source, 12);
      memcpyAt(this.umemAddress + frame + 12 + TAG, this.ring.address + source + 12, len - 12);
      this.putTag(packet, frame);
    }
    if (csumStart > 0) finish(this.umem.view, frame + tag + csumStart, csumField, frame + tag + len);
    this.give(frame, len + tag, batch);
  }

  /**
   * A short frame is copied faster by a loop than by a call, and passing addresses costs 16 bytes of young heap each. Both
   * sides lie 2 bytes behind a word, so whole words are copied: 2 bytes of headroom too, and up to 3 behind the frame.
   */
  private copyBytes(frame: number, source: number, len: number): void {
    if (len > SHORT || ((source - frame) & 3) !== 0) {
      memcpyAt(this.umemAddress + frame, this.ring.address + source, len);
      return;
    }
    const from = this.ring.i32;
    const to = this.umem.i32;
    const shift = (source - frame) >> 2;
    for (let i = frame >> 2, end = (frame + len + 3) >> 2; i < end; i++) to[i] = from[i + shift]!;
  }

  /** Puts back the VLAN tag that the kernel keeps beside the frame. */
  private putTag(packet: number, frame: number): void {
    const status = this.ring.i32[(packet + TPACKET.status) >> 2]!;
    if ((status & TP_STATUS_VLAN_VALID) === 0) return;
    const known = (status & TP_STATUS_VLAN_TPID_VALID) !== 0;
    this.umem.view.setUint16(frame + 12, known ? this.ring.u16[(packet + TPACKET.vlanTpid) >> 1]! : 0x8100);
    this.umem.view.setUint16(frame + 14, this.ring.i32[(packet + TPACKET.vlanTci) >> 2]!);
  }

  private give(frame: number, len: number, batch: Batch): void {
    batch.push(frame, len);
    this.counts.rxPackets++;
    this.counts.rxBytes += len;
  }

  tx(batch: Batch): number {
    return this.sender.send(batch);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.ring.unmap();
    this.sender.close();
    close(this.fd);
  }
}

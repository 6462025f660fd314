/** The packet device: an interface through a packet socket, packet(7). */
import { addressAt, check, close, getsockopt, memcpyAt, socket } from '../../sys/libc.js';
import {
  AF_PACKET,
  bindPacket,
  ETH_P_ALL,
  joinFanout,
  joinPacket,
  PACKET_IGNORE_OUTGOING,
  PACKET_MR_PROMISC,
  PACKET_STATISTICS,
  PACKET_VNET_HDR,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_PACKET,
  setPacketOption,
  VNET,
  VNET_NEEDS_CSUM,
} from '../../sys/packet-socket.js';
import { HEADER } from '../../wire/ethernet.js';
import { TAG } from '../../wire/vlan.js';
import type { Batch } from '../batch.js';
import { type Device, type DeviceStats, newDeviceStats } from '../device.js';
import { deviceError } from '../error.js';
import { ethernetIndex } from '../ethernet-index.js';
import { Segmenter } from '../gso.js';
import { completeChecksum } from '../partial-checksum.js';
import type { QueueShare } from '../queue-share.js';
import type { Umem } from '../umem.js';
import { BlockRing, type BlockSize } from './block-ring.js';
import type { PacketRing } from './ring.js';
import { SlotRing } from './slot-ring.js';
import { TxSocket } from './tx-socket.js';

export interface PacketOptions extends Partial<BlockSize> {
  /**
   * 'slots' (TPACKET_V2, the default): a packet is there at once. 'blocks' (TPACKET_V3): a packet
   * waits up to `retireMs`.
   */
  ring?: 'blocks' | 'slots';
  /** How many slots, a power of two. */
  slots?: number;
  /** Receives frames for other Ethernet addresses, too; false when left out. */
  promiscuous?: boolean;
  /** Several workers read the interface, and each gets a part of the frames. */
  share?: QueueShare | undefined;
}

const SLOTS = 8192;
const SIZE: BlockSize = { blocks: 32, blockSize: 1 << 18, retireMs: 1 };
/** Bytes; a shorter frame is copied by a loop. */
const SHORT = 128;
/** Bytes of both MAC addresses, which a VLAN tag follows. */
const ADDRESSES = 12;

/**
 * A network interface through a packet socket: a mapped ring receives, sendmmsg(2) sends. The stack
 * of the host sees every frame, too; NftIntercept drops the frames that the director intercepts.
 *
 * `rx` returns a frame as it is on the wire: partial checksums are completed, VLAN tags are put
 * back, GSO packets are segmented.
 */
export class PacketDevice implements Device {
  readonly kind = 'packet';
  readonly fd: number;
  private readonly counts: DeviceStats = newDeviceStats();
  private readonly ring: PacketRing;
  private readonly sender: TxSocket;
  private readonly segmenter: Segmenter;
  private readonly umemAddress: number;
  private readonly kernelStats = new Uint32Array(3);
  private readonly kernelStatsLen = Uint32Array.of(12);
  private closed = false;

  /**
   * Opens interface `name`. Throws a DeviceError: no such interface, not Ethernet, no privilege.
   */
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
      // The order matters: virtio_net_hdr must be enabled before the ring exists, and the bind
      // starts reception.
      setPacketOption(this.fd, SOL_PACKET, PACKET_VNET_HDR, 1, 'PACKET_VNET_HDR');
      setPacketOption(this.fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, 'PACKET_IGNORE_OUTGOING');
      this.ring =
        options.ring === 'blocks'
          ? new BlockRing(this.fd, { ...SIZE, ...options })
          : new SlotRing(this.fd, options.slots ?? SLOTS);
      this.sender = new TxSocket(umem, this.counts, ifindex);
      bindPacket(this.fd, ifindex, ETH_P_ALL);
      if (options.share?.group !== undefined) joinFanout(this.fd, options.share.group, options.share.program);
      if (options.promiscuous === true) joinPacket(this.fd, ifindex, PACKET_MR_PROMISC);
    } catch (error) {
      close(this.fd);
      throw deviceError(name, error);
    }
    this.segmenter = new Segmenter(umem, this.umemAddress, this.ring.u8, this.ring.address);
  }

  /** Reads the kernel's drop counter, a system call: not for each packet. */
  get stats(): DeviceStats {
    if (!this.closed && getsockopt(this.fd, SOL_PACKET, PACKET_STATISTICS, this.kernelStats, this.kernelStatsLen) === 0)
      this.counts.rxDropped += this.kernelStats[1]!;
    return this.counts;
  }

  rx(batch: Batch): number {
    if (this.closed) return 0; // the ring is unmapped; a read would crash the process
    const before = batch.n;
    while (batch.n < batch.capacity && this.umem.freeFrames > 0) {
      if (!this.ring.peek()) break;
      if (this.segmenter.left > 0) this.segment(batch);
      else this.receive(batch);
      if (this.segmenter.left === 0) this.ring.advance();
    }
    return batch.n - before;
  }

  /** Copies a packet of the ring into a frame, or begins to segment it. */
  private receive(batch: Batch): void {
    const { u8, u16, source, length } = this.ring;
    const vnet = source - VNET.length;
    const csumStart = (u8[vnet + VNET.flags]! & VNET_NEEDS_CSUM) !== 0 ? u16[(vnet + VNET.csumStart) >> 1]! : 0;
    const tag = this.ring.tagged ? TAG : 0;
    if (this.ring.cut) this.counts.rxDropped++;
    else if (length < HEADER) this.counts.rxOversize++;
    else if (u8[vnet + VNET.gsoType] !== 0) this.beginSegments(vnet, csumStart);
    else if (length + tag > this.umem.capacity) this.counts.rxOversize++;
    else this.copy(tag, csumStart, u16[(vnet + VNET.csumOffset) >> 1]!, batch);
  }

  private beginSegments(vnet: number, l4: number): void {
    const { u8, u16, source, length, tagged } = this.ring;
    const size = u16[(vnet + VNET.gsoSize) >> 1]!;
    if (!this.segmenter.begin(source, length, u8[vnet + VNET.gsoType]!, size, l4, tagged)) this.counts.rxOversize++;
  }

  private segment(batch: Batch): void {
    const frame = this.umem.alloc();
    const len = this.segmenter.next(frame);
    if (this.ring.tagged) this.putTag(frame);
    this.append(frame, len, batch);
  }

  private copy(tag: number, csumStart: number, csumField: number, batch: Batch): void {
    const { source, length } = this.ring;
    const frame = this.umem.alloc();
    if (tag === 0) this.copyBytes(frame, source, length);
    else {
      // Read only here: an address is no small integer to V8, and a read can allocate 16 bytes.
      const { address } = this.ring;
      memcpyAt(this.umemAddress + frame, address + source, ADDRESSES);
      memcpyAt(this.umemAddress + frame + ADDRESSES + TAG, address + source + ADDRESSES, length - ADDRESSES);
      this.putTag(frame);
    }
    if (csumStart > 0) completeChecksum(this.umem.view, frame + tag + csumStart, csumField, frame + tag + length);
    this.append(frame, length + tag, batch);
  }

  /**
   * Copies a frame. For a short frame a loop is faster than a call, whose address arguments
   * allocate 16 bytes each. Both frames begin 2 bytes behind a word. So the loop copies whole
   * words: 2 bytes of the headroom, too, and up to 3 bytes behind the frame.
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

  /** Writes the VLAN tag that the kernel has taken out of the frame. */
  private putTag(frame: number): void {
    this.umem.view.setUint16(frame + ADDRESSES, this.ring.tpid);
    this.umem.view.setUint16(frame + ADDRESSES + 2, this.ring.tci);
  }

  private append(frame: number, len: number, batch: Batch): void {
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

/** The packet device: an interface through a packet socket, packet(7). */

import { getsockopt } from '../../sys/libc.js';
import { addressAt, memcpyAt } from '../../sys/memory.js';
import { PACKET_STATISTICS, SOL_PACKET, VNET, VNET_NEEDS_CSUM } from '../../sys/packet-socket.js';
import { HEADER } from '../../wire/ethernet.js';
import { TAG } from '../../wire/vlan.js';
import type { Batch } from '../batch.js';
import { Cutter } from '../cutter.js';
import { type Device, type DeviceStats, newDeviceStats } from '../device.js';
import { Segmenter } from '../gso.js';
import { readGsoHeader } from '../gso-header.js';
import { completeChecksum } from '../partial-checksum.js';
import type { Umem } from '../umem.js';
import { BlockRing } from './block-ring.js';
import { closePacket, openPacket, type PacketHandle, type PacketOptions } from './open.js';
import type { PacketRing } from './ring.js';
import { SlotRing } from './slot-ring.js';
import { TxSocket } from './tx-socket.js';

export type { PacketOptions } from './open.js';

/** Bytes; a shorter frame is copied by a loop. */
const SHORT = 128;
/** Bytes of both MAC addresses, which a VLAN tag follows. */
const ADDRESSES = 12;

/**
 * A network interface through a packet socket: a mapped ring receives, sendmmsg(2) sends. The stack
 * of the host sees every frame, too; NftIntercept drops the frames that the director intercepts.
 *
 * `rx` returns a frame as it is on the wire: partial checksums are completed, VLAN tags are put
 * back, GSO packets are segmented. With the option gso (slots only) a GSO packet that has no place
 * in a slot is returned in one piece, in a large frame.
 */
export class PacketDevice implements Device {
  readonly kind = 'packet';
  readonly fd: number;
  readonly name: string;
  readonly takesGso: boolean;
  private readonly handle: PacketHandle;
  private readonly counts: DeviceStats = newDeviceStats();
  private readonly ring: PacketRing;
  private readonly slots: SlotRing | undefined;
  private readonly cutter: Cutter;
  private readonly sender: TxSocket;
  private readonly segmenter: Segmenter;
  private readonly umemAddress: number;
  private readonly kernelStats = new Uint32Array(3);
  private readonly kernelStatsLen = Uint32Array.of(12);
  private closed = false;

  /**
   * Opens an interface by its name, or takes over a handle that another thread has opened. Throws a
   * DeviceError, as openPacket.
   */
  constructor(
    private readonly umem: Umem,
    source: string | PacketHandle,
    options: PacketOptions = {},
  ) {
    const handle = typeof source === 'string' ? openPacket(source, options) : source;
    this.handle = handle;
    this.name = handle.name;
    this.fd = handle.fd;
    this.umemAddress = addressAt(umem.buffer);
    this.ring = handle.ring.kind === 'blocks' ? new BlockRing(handle.ring) : new SlotRing(handle.fd, handle.ring);
    this.slots = this.ring instanceof SlotRing ? this.ring : undefined;
    this.cutter = new Cutter(umem);
    this.sender = new TxSocket(umem, this.counts, handle.sender, handle.gsoSender ?? -1);
    this.takesGso = handle.gsoSender !== undefined;
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
      else if (!this.ring.queued || !this.receiveQueued(batch)) this.receive(batch);
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

  /**
   * Reads a packet that waits in the socket's queue straight into a large frame. Returns false when
   * it cannot stay there; it is in the ring's memory then.
   */
  private receiveQueued(batch: Batch): boolean {
    const slots = this.slots!;
    const { large } = this.umem;
    const frame = this.takesGso && !slots.tagged ? large.alloc() : -1;
    if (frame < 0) {
      slots.readQueued();
      return false;
    }
    const address = this.umemAddress + frame - VNET.length;
    const got = slots.receiveQueued(address, large.capacity);
    if (this.acceptWhole(frame, got - VNET.length, batch)) return true;
    slots.putBack(address, got);
    large.free(frame);
    return false;
  }

  /**
   * Keeps the packet of `length` bytes in a large frame, if it is a GSO packet that can be cut,
   * longer than any MTU.
   */
  private acceptWhole(frame: number, length: number, batch: Batch): boolean {
    if (length <= this.umem.capacity) return false;
    readGsoHeader(this.umem, frame);
    if (!this.cutter.begin(frame, length)) return false;
    this.append(frame, length, batch);
    return true;
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

  /** Where the next packet is read: a device of another process goes on there. */
  get position(): number {
    return this.slots?.position ?? 0;
  }

  resume(position: number): void {
    if (this.slots !== undefined) this.slots.position = position;
  }

  reclaim(): void {
    this.closed = true;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    closePacket(this.handle);
  }
}

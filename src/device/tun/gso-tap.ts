/**
 * A TAP that takes and gives GSO packets in one piece (IFF_VNET_HDR, TUNSETOFFLOAD). Each read is
 * scattered: an ordinary frame gets the header and the beginning, which is a whole ordinary packet;
 * a large frame gets what follows.
 *
 *     read    | virtio_net_hdr 10 | Ethernet, IP, TCP, payload ……… | ……………………………………………… |
 *               └─ frame: the capacity of an ordinary frame ──────┘ └─ the same place of a large frame
 *     a GSO packet: the beginning is copied in front of the rest, and the ordinary frame is free
 *
 * A GSO packet that an ordinary frame has room for is cut here: a large frame has a longer one.
 */

import { readvAt, writeAt } from '../../sys/libc.js';
import { VNET, VNET_NEEDS_CSUM } from '../../sys/packet-socket.js';
import type { Batch } from '../batch.js';
import { Cutter } from '../cutter.js';
import { readGsoHeader, writeGsoHeader } from '../gso-header.js';
import { completeChecksum } from '../partial-checksum.js';
import type { Umem } from '../umem.js';
import { openTap, type TapOptions, TunFile, type TunHandle } from './tap.js';

/** TAP: Ethernet frames; GSO packets in large frames. */
export class GsoTapDevice extends TunFile {
  readonly takesGso = true;
  private readonly cutter: Cutter;
  /** The large frame whose packet is being cut; −1: none. */
  private cutting = -1;

  /** As of TapDevice. Throws a DeviceError. */
  constructor(umem: Umem, source: string | TunHandle, options: TapOptions = {}) {
    super(umem, typeof source === 'string' ? openTap(source, { ...options, gso: true }) : source, 0);
    this.cutter = new Cutter(umem);
    this.iovWords[2] = VNET.length + umem.capacity;
    this.iovWords[6] = umem.large.capacity - umem.capacity;
  }

  protected fillHeader(): void {}

  override rx(batch: Batch): number {
    const { umem } = this;
    const { large } = umem;
    const before = batch.n;
    while (batch.n < batch.capacity && !this.closed && umem.freeFrames > 0 && large.freeFrames > 0) {
      if (this.cutting >= 0) {
        this.cutMore(batch);
        continue;
      }
      const frame = umem.alloc();
      const rest = large.alloc();
      const got = this.readInto(frame, rest);
      const kept = got > 0 ? this.take(frame, rest, got - VNET.length, batch) : 0;
      if (kept !== frame) umem.free(frame);
      if (kept !== rest) large.free(rest);
      if (got <= 0 && !this.mayReadAgain()) break;
    }
    return batch.n - before;
  }

  private readInto(frame: number, rest: number): number {
    this.putAddress(0, this.umemAddress + frame - VNET.length);
    this.putAddress(4, this.umemAddress + rest + this.umem.capacity);
    return readvAt(this.fd, this.iovAddress, 2);
  }

  /** Appends the packet to the batch. Returns which of both frames has it; 0: it was dropped. */
  private take(frame: number, rest: number, len: number, batch: Batch): number {
    const { u8, capacity } = this.umem;
    if (u8[frame - VNET.length + VNET.gsoType] !== 0) return this.takeGso(frame, rest, len, batch);
    if (len <= 0 || len > capacity) {
      this.stats.rxOversize++;
      return 0;
    }
    this.complete(frame, len);
    this.append(frame, len, batch);
    return frame;
  }

  private takeGso(frame: number, rest: number, len: number, batch: Batch): number {
    const { umem } = this;
    const end = frame + Math.min(len, umem.capacity);
    umem.u8.copyWithin(rest - VNET.length, frame - VNET.length, end);
    readGsoHeader(umem, rest);
    if (!this.cutter.begin(rest, len)) {
      this.stats.rxOversize++;
      return 0;
    }
    if (len > umem.capacity) this.append(rest, len, batch);
    else this.cutting = rest;
    return rest;
  }

  private cutMore(batch: Batch): void {
    const before = batch.n;
    this.cutter.fill(batch);
    this.stats.rxPackets += batch.n - before;
    for (let i = before; i < batch.n; i++) this.stats.rxBytes += batch.lengths[i]!;
    if (!this.cutter.done) return;
    this.umem.free(this.cutting);
    this.cutting = -1;
  }

  private complete(frame: number, len: number): void {
    const { u8, u16, view } = this.umem;
    const at = frame - VNET.length;
    if ((u8[at + VNET.flags]! & VNET_NEEDS_CSUM) === 0) return;
    const start = u16[(at + VNET.csumStart) >> 1]!;
    completeChecksum(view, frame + start, u16[(at + VNET.csumOffset) >> 1]!, frame + len);
  }

  protected override write(offset: number, len: number): boolean {
    if (this.closed || len <= 0) return false;
    const { u8, largeFrom } = this.umem;
    if (offset >= largeFrom) writeGsoHeader(this.umem, offset, len);
    else u8.fill(0, offset - VNET.length, offset);
    return writeAt(this.fd, this.umemAddress + offset - VNET.length, len + VNET.length) > 0;
  }
}

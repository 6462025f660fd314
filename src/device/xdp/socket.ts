/**
 * An AF_XDP socket on one queue of an interface. The frames are the Umem's; which of them the kernel has at the moment is
 * counted, and known frame by frame, so that none can be lost:
 *
 *            alloc ─► fill ring ─► kernel, filling ─► rx ring ─► rx(batch): the caller's
 *     Umem                posted = fill ring + filling + rx ring, never more than a ring holds
 *            free ◄── completion ring ◄── kernel, sending ◄── tx ring ◄── tx(batch)
 *                         sending = tx ring + kernel + completion ring, never more than a ring holds
 *
 * As neither count exceeds a ring, no ring can overflow, and producers need not look for room.
 */
import { addressAt, check, close, MSG_DONTWAIT, recvAt, SystemError, sendAt, socket } from '../../sys/libc.js';
import { SOCK_CLOEXEC, SOCK_RAW } from '../../sys/packet-socket.js';
import {
  AF_XDP,
  bindXdp,
  isZeroCopy,
  makeRings,
  registerUmem,
  setSendBudget,
  XDP_COPY,
  XDP_SHARED_UMEM,
  XDP_USE_NEED_WAKEUP,
  type XdpStatistics,
  xdpStatistics,
} from '../../sys/xdp-socket.js';
import type { Batch } from '../batch.js';
import { HEADROOM, type Umem } from '../umem.js';
import { Depth, SHALLOW } from './depth.js';
import { Ring } from './ring.js';

const BUSY_MS = 20;
const BUSY_TRIES = 50;

/** The kernel adds 256 bytes of its own to what is asked for. */
const KERNEL_HEADROOM = 256;
const SEND_BUDGET = 512;
/** Aligned, and in the cache line that the first headers share. */
const IP_SOURCE = 26;
/** Calls that try to empty the tx ring; what is left goes with the next turn. */
const KICKS = 4;

export interface XdpSocketOptions {
  readonly ifindex: number;
  readonly queue: number;
  /** A power of two; so many frames at most are posted for receiving, and up to SHALLOW sending. */
  readonly entries: number;
  /** Frames that stay free for others. */
  readonly reserve: number;
  /** Never on the Umem itself, though the driver could. */
  readonly copy: boolean;
}

/** The open sockets of each Umem: it is registered by the first, and any of them stands for it. */
const sharing = new WeakMap<Umem, Set<number>>();

export class XdpSocket {
  readonly fd: number;
  readonly zeroCopy: boolean;
  private readonly rings: Ring[] = [];
  private readonly rx: Ring;
  private readonly tx: Ring;
  private readonly fill: Ring;
  private readonly completion: Ring;
  private readonly depth: Depth;
  private readonly mostSending: number;
  private received = 0;
  private sent = 0;
  private filled = 0;
  private completed = 0;
  private posted = 0;
  private sending = 0;
  /** For `fetch`: what is kept is also read. */
  private readonly unread = new Int32Array(1);
  /** 1 for each frame that the kernel has from us. */
  private readonly held: Uint8Array;
  private readonly shift: number;

  /** Throws SystemError. */
  constructor(
    private readonly umem: Umem,
    private readonly options: XdpSocketOptions,
  ) {
    this.depth = new Depth(options.entries);
    this.mostSending = Math.min(options.entries, SHALLOW);
    this.held = new Uint8Array(umem.frameCount);
    this.shift = Math.log2(umem.frameSize);
    const others = sharing.get(umem) ?? new Set<number>();
    this.fd = check(socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), 'socket');
    try {
      if (others.size === 0) this.register();
      const rings = makeRings(this.fd, options.entries);
      this.rings = [rings.rx, rings.tx, rings.fill, rings.completion].map((ring) => new Ring(ring, options.entries));
      [this.rx, this.tx, this.fill, this.completion] = this.rings as [Ring, Ring, Ring, Ring];
      this.bind(others.values().next().value);
      this.zeroCopy = isZeroCopy(this.fd);
      setSendBudget(this.fd, SEND_BUDGET);
    } catch (error) {
      this.release();
      throw error;
    }
    sharing.set(umem, others.add(this.fd));
    this.refill();
  }

  private register(): void {
    const { buffer, frameSize } = this.umem;
    registerUmem(this.fd, addressAt(buffer), buffer.byteLength, frameSize, HEADROOM - KERNEL_HEADROOM);
  }

  private bind(shared: number | undefined): void {
    const { ifindex, queue, copy } = this.options;
    const own = XDP_USE_NEED_WAKEUP | (copy ? XDP_COPY : 0);
    patiently(() => bindXdp(this.fd, ifindex, queue, shared === undefined ? own : XDP_SHARED_UMEM, shared ?? 0));
  }

  /** Frames that are with the kernel. */
  get inKernel(): number {
    return this.posted + this.sending;
  }

  get statistics(): XdpStatistics {
    return xdpStatistics(this.fd);
  }

  /** Appends what has come to `batch`, and gives the kernel new frames for it. Returns how many came. */
  receive(batch: Batch): number {
    this.complete();
    const waiting = (this.rx.written - this.received) | 0;
    this.depth.note(waiting);
    const n = Math.min(waiting, batch.capacity - batch.n);
    if (n > 0) this.take(batch, n);
    this.refill();
    if (this.fill.sleeps) recvAt(this.fd, 0, 0, MSG_DONTWAIT);
    if (this.sending !== 0) this.kick(1);
    return n;
  }

  private take(batch: Batch, n: number): void {
    const { words, descriptors, mask } = this.rx;
    let index = this.received;
    for (let i = 0; i < n; i++) {
      const at = descriptors + ((index & mask) << 2);
      const offset = words[at]!;
      this.held[offset >>> this.shift] = 0;
      batch.push(offset, words[at + 2]!);
      index = (index + 1) | 0;
    }
    this.received = index;
    this.rx.read = index;
    this.posted -= n;
    this.fetch(batch, n);
  }

  /** Frames were written by another CPU. A loop so short has a dozen of their cache misses under way at once. */
  private fetch(batch: Batch, n: number): void {
    const { i32 } = this.umem;
    let all = 0;
    for (let i = batch.n - n; i < batch.n; i++) all ^= i32[(batch.offsets[i]! + IP_SOURCE) >> 2]!;
    this.unread[0] = all;
  }

  private refill(): void {
    const { umem } = this;
    const room = this.depth.posted - this.posted;
    const n = Math.min(room, umem.freeFrames - this.options.reserve);
    if (n <= 0) return;
    const { words, descriptors, mask } = this.fill;
    for (let i = 0; i < n; i++) {
      const offset = umem.alloc();
      this.held[offset >>> this.shift] = 1;
      words[descriptors + ((this.filled & mask) << 1)] = offset;
      this.filled = (this.filled + 1) | 0;
    }
    this.fill.written = this.filled;
    this.posted += n;
  }

  /** Takes over frames `from` … of the batch, as many as there is room for; returns how many. `kick` sends them. */
  queue(batch: Batch, from: number): number {
    this.complete();
    const { words, descriptors, mask } = this.tx;
    const n = Math.min(batch.n - from, this.mostSending - this.sending);
    for (let i = from; i < from + n; i++) {
      const offset = batch.offsets[i]!;
      const at = descriptors + ((this.sent & mask) << 2);
      this.held[offset >>> this.shift] = 1;
      words[at] = offset;
      words[at + 2] = batch.lengths[i]!;
      words[at + 3] = 0;
      this.sent = (this.sent + 1) | 0;
    }
    this.tx.written = this.sent;
    this.sending += n;
    return n;
  }

  /** Has the kernel send what is queued, in so many calls at most. */
  kick(calls = KICKS): void {
    for (let i = 0; i < calls && this.tx.read !== this.sent && this.tx.sleeps; i++) sendAt(this.fd, 0, 0, MSG_DONTWAIT);
  }

  /** Frames that have left are free again. */
  private complete(): void {
    const n = (this.completion.written - this.completed) | 0;
    if (n === 0) return;
    const { words, descriptors, mask } = this.completion;
    for (let i = 0; i < n; i++) {
      const offset = words[descriptors + ((this.completed & mask) << 1)]!;
      this.held[offset >>> this.shift] = 0;
      this.umem.free(offset);
      this.completed = (this.completed + 1) | 0;
    }
    this.completion.read = this.completed;
    this.sending -= n;
  }

  /** All frames that were with the kernel are free again; frames being sent may be lost. */
  close(): void {
    sharing.get(this.umem)?.delete(this.fd);
    this.release();
    for (let frame = 0; frame < this.held.length; frame++)
      if (this.held[frame] === 1) this.umem.free(frame << this.shift);
    this.held.fill(0);
    this.posted = this.sending = 0;
  }

  private release(): void {
    for (const ring of this.rings) ring.unmap();
    close(this.fd);
  }
}

/** The kernel lets go of a queue some time after its last socket was closed (or its process killed): until then it is busy. */
function patiently(bind: () => void): void {
  for (let tries = BUSY_TRIES; ; tries--) {
    try {
      return bind();
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== 'EBUSY' || tries === 0) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
    }
  }
}

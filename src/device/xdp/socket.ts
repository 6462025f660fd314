/**
 * XdpSocket: an AF_XDP socket on one queue of an interface. It knows which frames of the Umem the
 * kernel has, so that none is lost:
 *
 *            alloc ─► fill ring ─► kernel, filling ─► rx ring ─► rx(batch): the caller's
 *     Umem                posted = fill ring + filling + rx ring, at most a ring
 *            free ◄── completion ring ◄── kernel, sending ◄── tx ring ◄── tx(batch)
 *                         sending = tx ring + kernel + completion ring, at most a ring
 *
 * Neither count exceeds the size of a ring. So no ring can overflow, and a producer needs no check
 * for room.
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

/** Wait between two tries to bind, in ms. */
const BUSY_MS = 20;
const BUSY_TRIES = 50;

/** Bytes that the kernel adds to the headroom (XDP_PACKET_HEADROOM). */
const KERNEL_HEADROOM = 256;
/** Frames that one call of the kernel sends at most. */
const SEND_BUDGET = 512;
/** Offset of the IPv4 source in the frame: aligned, and in the cache line of the first headers. */
const IP_SOURCE = 26;
/** Calls at most to empty the tx ring. The rest is sent with the next batch. */
const KICKS = 4;

export interface XdpSocketOptions {
  readonly ifindex: number;
  readonly queue: number;
  /**
   * Slots of each ring, a power of two: the most frames posted for receiving. At most SHALLOW are
   * being sent.
   */
  readonly entries: number;
  /** Free frames of the Umem that are left for other devices. */
  readonly reserve: number;
  /** Copy mode, also where the driver has zero-copy. */
  readonly copy: boolean;
}

/**
 * The open sockets of each Umem. The first registers the Umem; later ones share it with any open
 * one.
 */
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
  /** Takes the result of `prefetch`, so that V8 cannot remove its reads. */
  private readonly prefetched = new Int32Array(1);
  /** By frame: 1 when the kernel has it. */
  private readonly held: Uint8Array;
  private readonly shift: number;

  /** Opens the socket and posts frames. Throws a SystemError. */
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
    retryWhileBusy(() => bindXdp(this.fd, ifindex, queue, shared === undefined ? own : XDP_SHARED_UMEM, shared ?? 0));
  }

  /** How many frames the kernel has. */
  get inKernel(): number {
    return this.posted + this.sending;
  }

  get statistics(): XdpStatistics {
    return xdpStatistics(this.fd);
  }

  /**
   * Appends received frames to `batch`, and posts new ones for them. Returns how many were
   * received.
   */
  receive(batch: Batch): number {
    this.complete();
    const waiting = (this.rx.written - this.received) | 0;
    this.depth.note(waiting);
    const n = Math.min(waiting, batch.capacity - batch.n);
    if (n > 0) this.read(batch, n);
    this.refill();
    if (this.fill.needsWakeup) recvAt(this.fd, 0, 0, MSG_DONTWAIT);
    if (this.sending !== 0) this.kick(1);
    return n;
  }

  private read(batch: Batch, n: number): void {
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
    this.prefetch(batch, n);
  }

  /**
   * Prefetches the headers: another CPU wrote the frames. A short loop has a dozen cache misses in
   * flight at once.
   */
  private prefetch(batch: Batch, n: number): void {
    const { i32 } = this.umem;
    let all = 0;
    for (let i = batch.n - n; i < batch.n; i++) all ^= i32[(batch.offsets[i]! + IP_SOURCE) >> 2]!;
    this.prefetched[0] = all;
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

  /**
   * Enqueues the frames of the batch from index `from`, as many as have room. Returns how many.
   * `kick` sends them.
   */
  enqueue(batch: Batch, from: number): number {
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

  /** Makes the kernel send the enqueued frames, with at most `calls` system calls. */
  kick(calls = KICKS): void {
    for (let i = 0; i < calls && this.tx.read !== this.sent && this.tx.needsWakeup; i++)
      sendAt(this.fd, 0, 0, MSG_DONTWAIT);
  }

  /** Frees the frames that were sent. */
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

  /**
   * Closes the socket and frees all frames that the kernel has. Frames that are being sent may be
   * lost.
   */
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

/**
 * Repeats `bind` while it fails with EBUSY. The kernel releases a queue some time after its last
 * socket was closed or its process was killed.
 */
function retryWhileBusy(bind: () => void): void {
  for (let tries = BUSY_TRIES; ; tries--) {
    try {
      return bind();
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== 'EBUSY' || tries === 0) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
    }
  }
}

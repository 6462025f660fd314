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
import { MSG_DONTWAIT, recvAt, sendAt } from '../../sys/libc.js';
import { type XdpStatistics, xdpStatistics } from '../../sys/xdp-socket.js';
import type { Batch } from '../batch.js';
import type { Umem } from '../umem.js';
import { CHUNK, Chunks } from './chunks.js';
import { Depth, SHALLOW } from './depth.js';
import { closeXdpSocket, type XdpSocketHandle } from './open-socket.js';
import { Ring } from './ring.js';

/** Offset of the IPv4 source in the frame: aligned, and in the cache line of the first headers. */
const IP_SOURCE = 26;
/** Calls at most to empty the tx ring. The rest is sent with the next batch. */
const KICKS = 4;

export class XdpSocket {
  readonly fd: number;
  readonly zeroCopy: boolean;
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
  /** By frame, of the Umem: the number of this socket when the kernel has the frame. */
  private readonly held: Uint8Array;
  private readonly number: number;
  private readonly shift: number;
  /** Frames of the Umem are longer than a page: they may have several descriptors. */
  private readonly chunks: Chunks | undefined;

  /**
   * Takes over an open socket, and posts frames unless it `waits` for `resume`.
   * `reserve`: free frames of the Umem that are left for other devices.
   */
  constructor(
    private readonly umem: Umem,
    private readonly handle: XdpSocketHandle,
    private readonly reserve: number,
    waits = false,
  ) {
    const { fd, zeroCopy, entries, rings, number } = handle;
    this.fd = fd;
    this.zeroCopy = zeroCopy;
    this.number = number;
    this.depth = new Depth(entries);
    this.mostSending = Math.min(entries, SHALLOW);
    this.held = umem.held;
    this.shift = Math.log2(umem.frameSize);
    this.chunks = umem.frameSize > CHUNK ? new Chunks(umem, number) : undefined;
    this.rx = new Ring(rings.rx, entries);
    this.tx = new Ring(rings.tx, entries);
    this.fill = new Ring(rings.fill, entries);
    this.completion = new Ring(rings.completion, entries);
    if (!waits) this.resume();
  }

  /** Goes on where the last owner has come to, as the rings say, and posts frames. */
  resume(): void {
    this.received = this.rx.read;
    this.sent = this.tx.written;
    this.filled = this.fill.written;
    this.completed = this.completion.read;
    this.posted = (this.filled - this.received) | 0;
    this.sending = (this.sent - this.completed) | 0;
    this.refill();
  }

  /** How many frames the kernel has; a frame that is sent in several descriptors counts as many. */
  get inKernel(): number {
    return this.posted + this.sending;
  }

  /** Received frames that were longer than a frame of the Umem. */
  get tooLong(): number {
    return this.chunks?.tooLong ?? 0;
  }

  get statistics(): XdpStatistics {
    return xdpStatistics(this.fd);
  }

  /**
   * Appends received frames to `batch`, and posts new ones for them.
   */
  receive(batch: Batch): void {
    this.complete();
    const waiting = (this.rx.written - this.received) | 0;
    this.depth.note(waiting);
    const n = Math.min(waiting, batch.capacity - batch.n);
    if (n > 0 && this.chunks === undefined) this.read(batch, n);
    else if (n > 0) this.gather(this.chunks!, batch, waiting);
    this.refill();
    if (this.fill.needsWakeup) recvAt(this.fd, 0, 0, MSG_DONTWAIT);
    if (this.sending !== 0) this.kick(1);
  }

  /** Posts as many frames as it can. */
  deepen(): void {
    this.depth.deepen();
    this.refill();
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

  private gather(chunks: Chunks, batch: Batch, waiting: number): void {
    const before = batch.n;
    const n = chunks.gather(this.rx, this.received, waiting, batch);
    this.received = (this.received + n) | 0;
    this.rx.read = this.received;
    this.posted -= n;
    this.prefetch(batch, batch.n - before);
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
    const n = Math.min(room, umem.freeFrames - this.reserve);
    if (n <= 0) return;
    const { words, descriptors, mask } = this.fill;
    for (let i = 0; i < n; i++) {
      const offset = umem.alloc();
      this.held[offset >>> this.shift] = this.number;
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
    if (this.chunks !== undefined) return this.enqueueChunks(this.chunks, batch, from);
    const { words, descriptors, mask } = this.tx;
    const n = Math.min(batch.n - from, this.mostSending - this.sending);
    for (let i = from; i < from + n; i++) {
      const offset = batch.offsets[i]!;
      const at = descriptors + ((this.sent & mask) << 2);
      this.held[offset >>> this.shift] = this.number;
      words[at] = offset;
      words[at + 2] = batch.lengths[i]!;
      words[at + 3] = 0;
      this.sent = (this.sent + 1) | 0;
    }
    this.tx.written = this.sent;
    this.sending += n;
    return n;
  }

  private enqueueChunks(chunks: Chunks, batch: Batch, from: number): number {
    let i = from;
    for (; i < batch.n; i++) {
      const room = this.mostSending - this.sending;
      const n = chunks.split(this.tx, this.sent, batch.offsets[i]!, batch.lengths[i]!, room);
      if (n === 0) break;
      this.sent = (this.sent + n) | 0;
      this.sending += n;
    }
    this.tx.written = this.sent;
    return i - from;
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
      this.completed = (this.completed + 1) | 0;
      if (this.chunks !== undefined && !this.chunks.countSent(offset)) continue;
      this.held[offset >>> this.shift] = 0;
      this.umem.free(offset);
    }
    this.completion.read = this.completed;
    this.sending -= n;
  }

  /**
   * Frees all frames that the kernel has. Call it when the socket is closed: before, the kernel may
   * still write into them. Frames that were being sent may be lost.
   */
  reclaim(): void {
    const { held, number, umem } = this;
    for (let frame = 0; frame < held.length; frame++) {
      if (held[frame] !== number) continue;
      held[frame] = 0;
      umem.free(frame << this.shift);
    }
    this.posted = this.sending = 0;
  }

  close(): void {
    closeXdpSocket(this.handle);
    this.reclaim();
  }
}

/** The xdp device: an interface through AF_XDP sockets. */
import { addressAt } from '../../sys/memory.js';
import type { Batch } from '../batch.js';
import { type Device, type DeviceStats, newDeviceStats } from '../device.js';
import { TxSocket } from '../packet/tx-socket.js';
import { completeIfPartial } from '../partial-checksum.js';
import type { Umem } from '../umem.js';
import type { XdpMode } from './attach.js';
import { closeXdp, type XdpHandle, xdpDetail } from './handle.js';
import { openXdp, type XdpOptions } from './open.js';
import type { FrameMemory } from './open-socket.js';
import { XdpSocket } from './socket.js';

export type { XdpOptions } from './open.js';

/** The open sockets of each Umem, of devices that were opened by name. */
const sharing = new WeakMap<Umem, Set<number>>();

/**
 * A network interface through AF_XDP (Documentation/networking/af_xdp). An XDP program at the
 * driver intercepts the frames of the director before the stack of the host sees them. They arrive
 * in the Umem that all devices share, and are sent from there without a copy in this process.
 *
 *     wire ─► XDP program ─ intercepted? ─► socket of the queue ─► rx ring ─► Umem frame
 *                  └─ else ─► the stack
 */
export class XdpDevice implements Device {
  readonly kind = 'xdp';
  readonly name: string;
  readonly fd: number;
  readonly mode: XdpMode;
  /** True when the driver reads and writes the Umem itself. */
  readonly zeroCopy: boolean;
  /** Why the mode is not native; '' when it is. */
  readonly reason: string;
  private readonly handle: XdpHandle;
  private readonly counts: DeviceStats = newDeviceStats();
  private readonly sockets: XdpSocket[];
  private readonly completes: boolean;
  /** Sends for a worker that has no queue: there are more workers than queues. */
  private readonly sender: TxSocket | undefined;
  private closed = false;

  /**
   * Opens an interface by its name, or takes over a handle that another thread has opened. Throws a
   * DeviceError, as openXdp.
   */
  constructor(
    private readonly umem: Umem,
    source: string | XdpHandle,
    options: XdpOptions = {},
  ) {
    const handle = typeof source === 'string' ? openFor(umem, source, options) : source;
    this.handle = handle;
    this.name = handle.name;
    this.fd = handle.poll;
    this.mode = handle.mode;
    this.reason = handle.reason;
    this.completes = handle.completes;
    const reserve = umem.frameCount >> 4;
    this.sockets = handle.sockets.map((socket) => new XdpSocket(umem, socket, reserve, options.waits));
    this.zeroCopy = this.sockets.every(({ zeroCopy }) => zeroCopy);
    if (handle.sender >= 0) this.sender = new TxSocket(umem, this.counts, handle.sender);
  }

  /** Mode and copy mode; the reason when the mode is not native. */
  get detail(): string {
    return xdpDetail(this.handle);
  }

  /** Reads the kernel's drop counters, a system call a socket: not for each packet. */
  get stats(): DeviceStats {
    if (this.closed) return this.counts;
    const all = this.sockets.map(({ statistics }) => statistics);
    this.counts.rxDropped = all.reduce((sum, { rxDropped }) => sum + rxDropped, 0);
    this.counts.rxOversize = this.sockets.reduce((sum, { tooLong }) => sum + tooLong, 0);
    return this.counts;
  }

  /** Frames that the kernel has at the moment. The others are free, or the caller's. */
  get inKernel(): number {
    return this.sockets.reduce((sum, { inKernel }) => sum + inKernel, 0);
  }

  rx(batch: Batch): number {
    if (this.closed) return 0;
    const before = batch.n;
    for (let i = 0; i < this.sockets.length; i++) this.sockets[i]!.receive(batch);
    for (let i = before; i < batch.n; i++) {
      this.counts.rxBytes += batch.lengths[i]!;
      if (this.completes) completeIfPartial(this.umem.view, batch.offsets[i]!, batch.lengths[i]!);
    }
    this.counts.rxPackets += batch.n - before;
    return batch.n - before;
  }

  tx(batch: Batch): number {
    if (this.sender !== undefined) return this.sender.send(batch);
    let sent = 0;
    for (let i = 0; i < this.sockets.length && sent < batch.n && !this.closed; i++) {
      const taken = this.sockets[i]!.enqueue(batch, sent);
      if (taken > 0) this.sockets[i]!.kick();
      sent += taken;
    }
    for (let i = 0; i < sent; i++) this.counts.txBytes += batch.lengths[i]!;
    for (let i = sent; i < batch.n; i++) this.umem.free(batch.offsets[i]!);
    this.counts.txPackets += sent;
    this.counts.txDropped += batch.n - sent;
    batch.n = 0;
    return sent;
  }

  resume(): void {
    for (const socket of this.sockets) socket.resume();
  }

  deepen(): void {
    for (const socket of this.sockets) socket.deepen();
  }

  reclaim(): void {
    this.closed = true;
    for (const one of this.sockets.splice(0)) one.reclaim();
  }

  close(): void {
    if (this.closed) return;
    this.counts.rxDropped = this.stats.rxDropped;
    for (const { fd } of this.sockets) sharing.get(this.umem)?.delete(fd);
    closeXdp(this.handle);
    this.reclaim();
  }
}

/** Opens an interface for a Umem of this thread. */
function openFor(umem: Umem, name: string, options: XdpOptions): XdpHandle {
  const others = sharing.get(umem) ?? new Set<number>();
  const handle = openXdp(memoryOf(umem), name, { ...options, sharing: others.values().next().value });
  for (const { fd } of handle.sockets) others.add(fd);
  sharing.set(umem, others);
  return handle;
}

function memoryOf({ buffer, frameCount, frameSize }: Umem): FrameMemory {
  return { address: addressAt(buffer), frames: frameCount, frameSize };
}

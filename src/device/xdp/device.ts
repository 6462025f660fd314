/** The xdp device: an interface through AF_XDP sockets. */
import { createMap, loadXdp, MapType, updateMap } from '../../sys/bpf.js';
import { interfaceDriver, interfaceMtu, receiveQueues } from '../../sys/interface.js';
import { addressAt, check, close, epollOf, socket } from '../../sys/libc.js';
import {
  AF_PACKET,
  joinPacket,
  PACKET_MR_ALLMULTI,
  PACKET_MR_PROMISC,
  SOCK_CLOEXEC,
  SOCK_RAW,
} from '../../sys/packet-socket.js';
import { HEADER } from '../../wire/ethernet.js';
import { TAG } from '../../wire/vlan.js';
import type { Batch } from '../batch.js';
import { type Device, type DeviceStats, newDeviceStats } from '../device.js';
import { DeviceError } from '../error.js';
import { ethernetIndex } from '../ethernet-index.js';
import { type OffloadName, turnOff, turnOn } from '../offload.js';
import { TxSocket } from '../packet/tx-socket.js';
import { completeIfPartial } from '../partial-checksum.js';
import type { QueueShare } from '../queue-share.js';
import type { Umem } from '../umem.js';
import { attachProgram, type XdpMode, xdpError } from './attach.js';
import type { InterceptMapFds } from './layout.js';
import { interceptAllProgram, interceptProgram, passAllProgram } from './program.js';
import { XdpSocket } from './socket.js';

export interface XdpOptions {
  /**
   * What is intercepted: what these maps select, everything (the default), or nothing, to find out
   * whether XDP works.
   */
  intercept?: InterceptMapFds | 'all' | 'nothing';
  /**
   * Slots of each ring, a power of two: the most frames that a queue posts for receiving
   * (depth.ts).
   */
  entries?: number;
  /** This mode only. Left out: native if possible, else generic. */
  mode?: XdpMode;
  /** How many receive queues, from queue 0; all when left out. */
  queues?: number;
  /** Copy mode, also where the driver has zero-copy. */
  copy?: boolean;
  /**
   * Several workers read the interface: this worker's share. Worker 0 attaches the program, so it
   * opens last.
   */
  share?: QueueShare | undefined;
  /**
   * Promiscuous mode; false when left out. No effect with maps: their program passes such frames to
   * the stack.
   */
  promiscuous?: boolean;
}

const ENTRIES = 2048;
/** Drivers whose senders are on this machine: the other end of a veth, the guest of a TAP. */
const LOCAL_DRIVERS = ['veth', 'tun'];
/** Bytes. */
const PAGE = 4096;

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
  readonly fd: number;
  readonly mode: XdpMode;
  /** True when the driver reads and writes the Umem itself. */
  readonly zeroCopy: boolean;
  /** Why the mode is not native; '' when it is. */
  readonly reason: string;
  private readonly counts: DeviceStats = newDeviceStats();
  private readonly sockets: XdpSocket[] = [];
  /**
   * File descriptors, which are closed in reverse order: the program before the sockets that it
   * feeds.
   */
  private readonly opened: number[] = [];
  private readonly completes: boolean;
  /** Sends for a worker that has no queue: there are more workers than queues. */
  private readonly sender: TxSocket | undefined;
  private turnedOff: OffloadName[] = [];
  private closed = false;

  /**
   * Opens interface `name`. Throws a DeviceError: no such interface, no privilege, no AF_XDP, a
   * frame size that does not fit.
   */
  constructor(
    private readonly umem: Umem,
    readonly name: string,
    options: XdpOptions = {},
  ) {
    const ifindex = ethernetIndex(name);
    checkFrames(umem, name);
    const driver = interfaceDriver(name);
    try {
      const xsks = this.openSockets(ifindex, options);
      if (this.sockets.length === 0) this.sender = new TxSocket(umem, this.counts, ifindex);
      if ((options.share?.index ?? 0) !== 0) {
        [this.mode, this.reason] = ['native', ''];
        this.fd = this.pollable();
        this.zeroCopy = this.sockets.every(({ zeroCopy }) => zeroCopy);
        this.completes = true;
        return;
      }
      const program = this.keep(loadXdp(programFor(xsks, options.intercept ?? 'all')));
      this.join(ifindex, options.promiscuous === true);
      this.turnedOff = turnOffEach(name, options.mode === 'generic' ? GENERIC_OFF : ['rxVlan']);
      const { link, mode, reason } = attachProgram(program, ifindex, driver, options.mode);
      this.keep(link);
      [this.mode, this.reason] = [mode, reason];
      if (mode === 'generic') this.turnedOff.push(...turnOffEach(name, GENERIC_OFF));
    } catch (error) {
      this.undo();
      throw xdpError(name, error);
    }
    this.fd = this.pollable();
    this.zeroCopy = this.sockets.every(({ zeroCopy }) => zeroCopy);
    // A sender on this machine sends partial checksums.
    this.completes = this.mode === 'generic' || LOCAL_DRIVERS.includes(driver);
  }

  private pollable(): number {
    if (this.sockets.length === 0) return -1;
    return this.sockets.length === 1 ? this.sockets[0]!.fd : this.keep(epollOf(this.sockets.map(({ fd }) => fd)));
  }

  private keep(fd: number): number {
    this.opened.push(fd);
    return fd;
  }

  /**
   * Opens a socket for each queue of this worker. Returns the XSKMAP, the map of sockets by queue.
   */
  private openSockets(ifindex: number, { queues, entries = ENTRIES, copy = false, share }: XdpOptions): number {
    const count = queues ?? receiveQueues(this.name);
    const xsks =
      share?.xsks ?? this.keep(createMap({ type: MapType.xskMap, keySize: 4, valueSize: 4, entries: count }));
    const reserve = this.umem.frameCount >> 4;
    for (let queue = share?.index ?? 0; queue < count; queue += share?.count ?? 1) {
      const made = new XdpSocket(this.umem, { ifindex, queue, entries, reserve, copy });
      this.sockets.push(made);
      updateMap(xsks, new Uint8Array(Uint32Array.of(queue).buffer), new Uint8Array(Uint32Array.of(made.fd).buffer));
    }
    return xsks;
  }

  /**
   * Joins all multicast groups: solicitations for an IPv6 VIP that no interface has are multicast.
   * The kernel leaves them when the socket is closed.
   */
  private join(ifindex: number, promiscuous: boolean): void {
    const fd = this.keep(check(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), 'socket'));
    joinPacket(fd, ifindex, PACKET_MR_ALLMULTI);
    if (promiscuous) joinPacket(fd, ifindex, PACKET_MR_PROMISC);
  }

  /** Mode and copy mode; the reason when the mode is not native. */
  get detail(): string {
    const copies = this.zeroCopy ? 'zero-copy' : 'copy mode';
    return `${this.mode}, ${copies}${this.reason === '' ? '' : `; ${this.reason}`}`;
  }

  /** Reads the kernel's drop counters, a system call a socket: not for each packet. */
  get stats(): DeviceStats {
    if (this.closed) return this.counts;
    const all = this.sockets.map(({ statistics }) => statistics);
    this.counts.rxDropped = all.reduce((sum, { rxDropped }) => sum + rxDropped, 0);
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

  close(): void {
    if (this.closed) return;
    this.counts.rxDropped = this.stats.rxDropped;
    this.closed = true;
    this.undo();
  }

  private undo(): void {
    for (const fd of this.opened.splice(0).reverse()) close(fd);
    for (const one of this.sockets.splice(0)) one.close();
    this.sender?.close();
    switched(turnOn, this.name, this.turnedOff.splice(0));
  }
}

/**
 * Offloads that are turned off in generic mode. The program runs behind GRO and LRO there, which
 * may have merged frames. With rxVlan nobody sees the VLAN tag.
 */
const GENERIC_OFF: readonly OffloadName[] = ['rxVlan', 'gro', 'lro'];

function programFor(xsks: number, intercept: InterceptMapFds | 'all' | 'nothing'): Uint8Array {
  if (intercept === 'nothing') return passAllProgram();
  return intercept === 'all' ? interceptAllProgram(xsks) : interceptProgram(intercept, xsks);
}

/** Turns off the offloads that the driver can switch. Returns those that were on. */
function turnOffEach(name: string, offloads: readonly OffloadName[]): OffloadName[] {
  return offloads.flatMap((offload) => switched(turnOff, name, [offload]) ?? []);
}

/** Switches offloads; undefined when the driver cannot, or when the interface is gone. */
function switched<T>(turn: (name: string, offloads: readonly OffloadName[]) => T, name: string, which: OffloadName[]) {
  try {
    return turn(name, which);
  } catch (error) {
    if (error instanceof DeviceError) return undefined;
    throw error;
  }
}

function checkFrames(umem: Umem, name: string): void {
  const mtu = interfaceMtu(name);
  if (umem.frameSize > PAGE)
    throw new DeviceError(
      name,
      `AF_XDP cannot use frames of ${umem.frameSize} bytes`,
      "use kind 'packet' or a smaller MTU",
    );
  if (mtu + HEADER + TAG > umem.capacity)
    throw new DeviceError(
      name,
      `its MTU ${mtu} does not fit into frames of ${umem.capacity} bytes`,
      "use kind 'packet'",
    );
  if (addressAt(umem.buffer) % PAGE !== 0)
    throw new DeviceError(name, 'the Umem does not begin on a page', 'make it with mappedUmem');
}

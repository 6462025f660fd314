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
import type { Batch } from '../batch.js';
import { type Device, type DeviceStats, newDeviceStats } from '../device.js';
import { DeviceError } from '../error.js';
import { ethernetIndex } from '../ethernet-index.js';
import { type OffloadName, turnOff, turnOn } from '../offload.js';
import { TxSocket } from '../packet/tx-socket.js';
import { finishByLooks } from '../partial-checksum.js';
import type { QueueShare } from '../queue-share.js';
import type { Umem } from '../umem.js';
import { attachProgram, type XdpMode, xdpError } from './attach.js';
import type { InterceptMapFds } from './layout.js';
import { interceptAllProgram, interceptProgram, passAllProgram } from './program.js';
import { XdpSocket } from './socket.js';

export interface XdpOptions {
  /** What is kept from the host's stack: what these maps select, everything (the default), or nothing, to see whether it works here. */
  intercept?: InterceptMapFds | 'all' | 'nothing';
  /** Slots of each ring, a power of two: so many frames at most are posted for receiving by each queue (xdp/depth.ts). */
  entries?: number;
  /** That mode or none; else native where it can be, and generic where not. */
  mode?: XdpMode;
  /** Receive queues, from 0 (all). */
  queues?: number;
  /** Have the driver copy, though it could work on the Umem itself. */
  copy?: boolean;
  /** Several workers have the interface: this one's share. The first attaches the program, so it comes last. */
  share?: QueueShare | undefined;
  /** Also take frames for other Ethernet addresses (off); a program that goes by maps leaves them to the kernel all the same. */
  promiscuous?: boolean;
}

const ENTRIES = 2048;
/** Their senders are on this machine: a veth's other end, a TAP's guest. */
const LOCAL_DRIVERS = ['veth', 'tun'];
const PAGE = 4096;
const ETHERNET = 14;
const TAG = 4;

/**
 * A network interface through AF_XDP: a program at the driver takes the director's frames before the kernel's stack sees
 * them, and they arrive in the Umem that all devices share, from where they are sent without being copied by us.
 *
 *     wire ─► XDP program ─ taken? ─► socket of the queue ─► rx ring ─► Umem frame
 *                  └─ else ─► the kernel's stack
 */
export class XdpDevice implements Device {
  readonly kind = 'xdp';
  readonly fd: number;
  readonly mode: XdpMode;
  /** Whether the driver works on the Umem itself. */
  readonly zeroCopy: boolean;
  /** Why it is not native; '' when it is. */
  readonly reason: string;
  private readonly counts: DeviceStats = newDeviceStats();
  private readonly sockets: XdpSocket[] = [];
  /** Descriptors to close, the last first: the program goes before the sockets it feeds. */
  private readonly opened: number[] = [];
  private readonly finishes: boolean;
  /** The way out where there are more workers than queues. */
  private readonly sender: TxSocket | undefined;
  private turnedOff: OffloadName[] = [];
  private closed = false;

  /** Opens interface `name`. Throws a DeviceError: no such interface, no privilege, no AF_XDP, frames that do not fit. */
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
        this.finishes = true;
        return;
      }
      const program = this.keep(loadXdp(programFor(xsks, options.intercept ?? 'all')));
      this.join(ifindex, options.promiscuous === true);
      this.turnedOff = quieten(name, options.mode === 'generic' ? GENERIC_OFF : ['rxVlan']);
      const { link, mode, reason } = attachProgram(program, ifindex, driver, options.mode);
      this.keep(link);
      [this.mode, this.reason] = [mode, reason];
      if (mode === 'generic') this.turnedOff.push(...quieten(name, GENERIC_OFF));
    } catch (error) {
      this.undo();
      throw xdpError(name, error);
    }
    this.fd = this.pollable();
    this.zeroCopy = this.sockets.every(({ zeroCopy }) => zeroCopy);
    // A sender on this machine leaves checksums undone that only a wire would need.
    this.finishes = this.mode === 'generic' || LOCAL_DRIVERS.includes(driver);
  }

  private pollable(): number {
    if (this.sockets.length === 0) return -1;
    return this.sockets.length === 1 ? this.sockets[0]!.fd : this.keep(epollOf(this.sockets.map(({ fd }) => fd)));
  }

  private keep(fd: number): number {
    this.opened.push(fd);
    return fd;
  }

  /** One socket a queue; returns the map of sockets by queue. */
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

  /** Solicitations for an IPv6 VIP that no interface has come by multicast. Leaving is the kernel's job, at close. */
  private join(ifindex: number, promiscuous: boolean): void {
    const fd = this.keep(check(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), 'socket'));
    joinPacket(fd, ifindex, PACKET_MR_ALLMULTI);
    if (promiscuous) joinPacket(fd, ifindex, PACKET_MR_PROMISC);
  }

  /** Mode and copy mode, with the reason when the mode is not native. */
  get detail(): string {
    const copies = this.zeroCopy ? 'zero-copy' : 'copy mode';
    return `${this.mode}, ${copies}${this.reason === '' ? '' : `; ${this.reason}`}`;
  }

  /** Asks the kernel for its drops first: read it now and then, not per packet. */
  get stats(): DeviceStats {
    if (this.closed) return this.counts;
    const all = this.sockets.map(({ statistics }) => statistics);
    this.counts.rxDropped = all.reduce((sum, { rxDropped }) => sum + rxDropped, 0);
    return this.counts;
  }

  /** Frames that are with the kernel at the moment: the others are free, or somebody's. */
  get inKernel(): number {
    return this.sockets.reduce((sum, { inKernel }) => sum + inKernel, 0);
  }

  rx(batch: Batch): number {
    if (this.closed) return 0;
    const before = batch.n;
    for (let i = 0; i < this.sockets.length; i++) this.sockets[i]!.receive(batch);
    for (let i = before; i < batch.n; i++) {
      this.counts.rxBytes += batch.lengths[i]!;
      if (this.finishes) finishByLooks(this.umem.view, batch.offsets[i]!, batch.lengths[i]!);
    }
    this.counts.rxPackets += batch.n - before;
    return batch.n - before;
  }

  tx(batch: Batch): number {
    if (this.sender !== undefined) return this.sender.send(batch);
    let sent = 0;
    for (let i = 0; i < this.sockets.length && sent < batch.n && !this.closed; i++) {
      const taken = this.sockets[i]!.queue(batch, sent);
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

/** In generic mode frames come late, when the kernel may have merged them already; and tags beside the frame nobody sees. */
const GENERIC_OFF: readonly OffloadName[] = ['rxVlan', 'gro', 'lro'];

function programFor(xsks: number, intercept: InterceptMapFds | 'all' | 'nothing'): Uint8Array {
  if (intercept === 'nothing') return passAllProgram();
  return intercept === 'all' ? interceptAllProgram(xsks) : interceptProgram(intercept, xsks);
}

/** Turns off what the driver has a switch for; returns what was on. */
function quieten(name: string, offloads: readonly OffloadName[]): OffloadName[] {
  return offloads.flatMap((offload) => switched(turnOff, name, [offload]) ?? []);
}

/** undefined: the driver has no such switch, or the interface has gone. */
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
      `AF_XDP has no frames of ${umem.frameSize} bytes`,
      "use kind 'packet' or a smaller MTU",
    );
  if (mtu + ETHERNET + TAG > umem.capacity)
    throw new DeviceError(
      name,
      `its MTU ${mtu} does not fit into frames of ${umem.capacity} bytes`,
      "use kind 'packet'",
    );
  if (addressAt(umem.buffer) % PAGE !== 0)
    throw new DeviceError(name, 'the frames do not begin on a page', 'make them with mappedUmem');
}

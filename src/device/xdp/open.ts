/**
 * Opens an interface for AF_XDP: a socket for each queue, their map, the XDP program. The result is
 * plain data, from which an XdpDevice is made in the thread that forwards (open-socket.ts says
 * why).
 *
 *     openXdp ─► XdpHandle ─► new XdpDevice(umem, handle) ─► … ─► closeXdp ─► XdpDevice.reclaim
 */
import { createMap, loadXdp, MapType, updateMap } from '../../sys/bpf.js';
import { LinkType, linkedInterface, replaceProgram } from '../../sys/bpf-link.js';
import { interfaceDriver, interfaceMtu, receiveQueues } from '../../sys/interface.js';
import { check, close, epollOf, socket } from '../../sys/libc.js';
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
import { DeviceError } from '../error.js';
import { ethernetIndex } from '../ethernet-index.js';
import type { FlowMapFds } from '../flow/layout.js';
import type { PinnedLink } from '../flow/pins.js';
import { type OffloadName, turnOff, turnOn } from '../offload.js';
import { openTxSocket } from '../packet/tx-socket.js';
import type { QueueShare } from '../queue-share.js';
import { HEADROOM } from '../umem.js';
import { type Attached, attachProgram, type XdpMode, xdpError } from './attach.js';
import { CHUNK } from './chunks.js';
import type { InterceptMapFds } from './layout.js';
import {
  adoptXdpSocket,
  closeXdpSocket,
  type FrameMemory,
  openXdpSocket,
  type XdpSocketHandle,
} from './open-socket.js';
import { interceptAllProgram, interceptProgram, passAllProgram } from './program.js';

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
  /** Of a handle: another process uses it until `resume`. */
  waits?: boolean;
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
  /** An open socket with the same Umem. */
  sharing?: number | undefined;
  /** With maps: the program forwards by this flow table. */
  flows?: FlowMapFds | undefined;
  /** The program of a former process is attached by this link. */
  link?: PinnedLink | undefined;
}

/** An open interface as plain data, valid in every thread of the process. */
export interface XdpHandle {
  readonly name: string;
  readonly ifindex: number;
  /** Receive queues of the interface when it was opened. */
  readonly queues: number;
  readonly sockets: readonly XdpSocketHandle[];
  /** Socket that only sends, for a worker that has no queue; −1: none. */
  readonly sender: number;
  /** BPF link of the program; −1: another worker has attached it. */
  readonly link: number;
  /** To close, in this order: the program before the sockets that it feeds. */
  readonly descriptors: readonly number[];
  /** Descriptor to wait on; −1: none. */
  readonly poll: number;
  readonly mode: XdpMode;
  /** Why the mode is not native; '' when it is. */
  readonly reason: string;
  /** Frames may have partial checksums. */
  readonly completes: boolean;
  readonly turnedOff: readonly OffloadName[];
  /** The program takes frames in several buffers; absent in what an older process gives: false. */
  readonly frags?: boolean;
}

const ENTRIES = 2048;
/** Drivers whose senders are on this machine: the other end of a veth, the guest of a TAP. */
const LOCAL_DRIVERS = ['veth', 'tun'];
/** Bytes. */
const PAGE = 4096;
/** Bytes of the longest frames of a Umem: those of longer ones would take too much memory. */
const LONGEST_FRAME = 16_384;

/**
 * Offloads that are turned off in generic mode. The program runs behind GRO and LRO there, which
 * may have merged frames. With rxVlan nobody sees the VLAN tag.
 */
const GENERIC_OFF: readonly OffloadName[] = ['rxVlan', 'gro', 'lro'];

/** What has been opened so far. */
interface Opening {
  readonly sockets: XdpSocketHandle[];
  readonly descriptors: number[];
  turnedOff: OffloadName[];
  sender: number;
}

/**
 * Opens interface `name`. Throws a DeviceError: no such interface, no privilege, no AF_XDP, a frame
 * size that does not fit.
 */
export function openXdp(memory: FrameMemory, name: string, options: XdpOptions = {}): XdpHandle {
  const ifindex = ethernetIndex(name);
  checkFrames(memory, name);
  const opening: Opening = { sockets: [], descriptors: [], turnedOff: [], sender: -1 };
  try {
    return open(memory, name, ifindex, options, opening);
  } catch (error) {
    release(name, opening);
    throw xdpError(name, error, hasChunks(memory));
  }
}

/** Closes everything. Frames that the kernel had are then to be reclaimed. */
export function closeXdp({ name, sockets, descriptors, turnedOff, sender }: XdpHandle): void {
  release(name, { sockets: [...sockets], descriptors: [...descriptors], turnedOff: [...turnedOff], sender });
}

/** The handle of another process as one of this process. Throws a SystemError. */
export function adoptXdp(handle: XdpHandle, take: (fd: number) => number): XdpHandle {
  const sockets = handle.sockets.map((socket) => adoptXdpSocket(socket, take(socket.fd)));
  const descriptors = handle.descriptors.filter((fd) => fd !== handle.poll).map(take);
  const fds = sockets.map(({ fd }) => fd);
  const poll = fds.length > 1 ? epollOf(fds) : (fds[0] ?? -1);
  if (fds.length > 1) descriptors.unshift(poll);
  return { ...handle, sockets, descriptors, poll, sender: take(handle.sender), link: take(handle.link) };
}

/**
 * Replaces the program of an open interface by one with other intercept maps, which feeds the same
 * sockets. The link stays, so that no frame finds no program. `handles`: by worker. `shared`: the
 * XSKMAP of several workers. Returns the handles. Throws a SystemError.
 */
export function replaceXdp(
  handles: readonly XdpHandle[],
  maps: InterceptMapFds,
  shared?: number,
  flows?: FlowMapFds,
): XdpHandle[] {
  const [first, ...others] = handles as [XdpHandle, ...XdpHandle[]];
  const xsks = shared ?? createMap({ type: MapType.xskMap, keySize: 4, valueSize: 4, entries: first.queues });
  for (const socket of handles.flatMap(({ sockets }) => sockets)) addSocket(xsks, socket);
  const program = loadXdp(programFor(xsks, maps, flows), first.frags);
  replaceProgram(first.link, program);
  const own = shared === undefined ? [program, xsks] : [program];
  return [{ ...first, descriptors: [...first.descriptors, ...own] }, ...others];
}

function addSocket(xsks: number, { queue, fd }: XdpSocketHandle): void {
  updateMap(xsks, new Uint8Array(Uint32Array.of(queue).buffer), new Uint8Array(Uint32Array.of(fd).buffer));
}

/** Mode and copy mode of an open interface; the reason when the mode is not native. */
export function xdpDetail({ sockets, mode, reason }: XdpHandle): string {
  const copies = sockets.every(({ zeroCopy }) => zeroCopy) ? 'zero-copy' : 'copy mode';
  return `${mode}, ${copies}${reason === '' ? '' : `; ${reason}`}`;
}

/**
 * The program was taken off the interface (bpftool link detach), or the interface has another
 * number of queues than when it was opened (ethtool -L); '' for neither.
 */
export function xdpFault({ link, ifindex, queues, name }: XdpHandle): string {
  if (link < 0) return '';
  if (linkedInterface(link, LinkType.xdp) !== ifindex) return 'its XDP program was taken away';
  return receiveQueues(name) === queues ? '' : 'it has another number of receive queues';
}

function open(memory: FrameMemory, name: string, ifindex: number, options: XdpOptions, opening: Opening): XdpHandle {
  const queues = options.queues ?? receiveQueues(name);
  const driver = interfaceDriver(name);
  const xsks = openSockets(memory, ifindex, queues, options, opening);
  if (opening.sockets.length === 0) opening.sender = openTxSocket(ifindex);
  const base = { name, ifindex, queues, frags: hasChunks(memory) };
  if ((options.share?.index ?? 0) !== 0)
    return { ...base, ...done(opening), link: -1, mode: 'native', reason: '', completes: true };
  const keep = (fd: number) => kept(opening, fd);
  const program = keep(loadXdp(programFor(xsks, options.intercept ?? 'all', options.flows), base.frags));
  keep(join(ifindex, options.promiscuous === true));
  opening.turnedOff = turnOffEach(name, options.mode === 'generic' ? GENERIC_OFF : ['rxVlan']);
  const { link, mode, reason } = options.link
    ? inherit(options.link, program)
    : attachProgram(program, ifindex, driver, options.mode);
  keep(link);
  if (mode === 'generic') opening.turnedOff.push(...turnOffEach(name, GENERIC_OFF));
  // A sender on this machine sends partial checksums.
  const completes = mode === 'generic' || LOCAL_DRIVERS.includes(driver);
  return { ...base, ...done(opening), link, mode, reason, completes };
}

function done(opening: Opening): Pick<XdpHandle, 'sockets' | 'sender' | 'descriptors' | 'poll' | 'turnedOff'> {
  const { sockets, sender, turnedOff } = opening;
  const fds = sockets.map(({ fd }) => fd);
  const poll = fds.length > 1 ? kept(opening, epollOf(fds)) : (fds[0] ?? -1);
  return { sockets, sender, turnedOff, poll, descriptors: [...opening.descriptors] };
}

/** The program takes the place of a former process's. */
function inherit({ fd, mode }: PinnedLink, program: number): Attached {
  replaceProgram(fd, program);
  return { link: fd, mode: mode as XdpMode, reason: mode === 'native' ? '' : 'as before' };
}

/** Puts a descriptor in front of those to close. */
function kept({ descriptors }: Opening, fd: number): number {
  descriptors.unshift(fd);
  return fd;
}

/**
 * Opens a socket for each queue of this worker. Returns the XSKMAP, the map of sockets by queue.
 */
function openSockets(
  memory: FrameMemory,
  ifindex: number,
  count: number,
  { entries = ENTRIES, copy = false, share, sharing }: XdpOptions,
  opening: Opening,
): number {
  const { sockets } = opening;
  const shape = { type: MapType.xskMap, keySize: 4, valueSize: 4, entries: count };
  const xsks = share?.xsks ?? kept(opening, createMap(shape));
  for (let queue = share?.index ?? 0; queue < count; queue += share?.count ?? 1) {
    const made = openXdpSocket(memory, { ifindex, queue, entries, copy }, sharing ?? sockets[0]?.fd);
    sockets.push(made);
    addSocket(xsks, made);
  }
  return xsks;
}

/**
 * Joins all multicast groups: solicitations for an IPv6 VIP that no interface has are multicast.
 * The kernel leaves them when the socket is closed. Returns the socket.
 */
function join(ifindex: number, promiscuous: boolean): number {
  const fd = check(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), 'socket');
  try {
    joinPacket(fd, ifindex, PACKET_MR_ALLMULTI);
    if (promiscuous) joinPacket(fd, ifindex, PACKET_MR_PROMISC);
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}

function release(name: string, { sockets, descriptors, sender, turnedOff }: Opening): void {
  for (const fd of descriptors.splice(0)) close(fd);
  for (const one of sockets.splice(0)) closeXdpSocket(one);
  if (sender >= 0) close(sender);
  switched(turnOn, name, turnedOff.splice(0));
}

function programFor(xsks: number, intercept: InterceptMapFds | 'all' | 'nothing', flows?: FlowMapFds): Uint8Array {
  if (intercept === 'nothing') return passAllProgram();
  if (intercept === 'all') return interceptAllProgram(xsks);
  return interceptProgram(intercept, xsks, flows && { fds: flows, completes: true });
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

/** Frames of the Umem are longer than a chunk of the kernel's (chunks.ts). */
function hasChunks({ frameSize }: FrameMemory): boolean {
  return frameSize > CHUNK;
}

function checkFrames({ address, frameSize }: FrameMemory, name: string): void {
  const mtu = interfaceMtu(name);
  const capacity = frameSize - HEADROOM;
  if (frameSize > LONGEST_FRAME)
    throw new DeviceError(name, `AF_XDP cannot use frames of ${frameSize} bytes`, "use kind 'packet' or a smaller MTU");
  if (mtu + HEADER + TAG > capacity)
    throw new DeviceError(name, `its MTU ${mtu} does not fit into frames of ${capacity} bytes`, "use kind 'packet'");
  if (address % PAGE !== 0) throw new DeviceError(name, 'the Umem does not begin on a page', 'make it with mappedUmem');
}

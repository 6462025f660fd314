/**
 * Opens an interface for AF_XDP: a socket for each queue, their map, the XDP program. The result is
 * plain data, from which an XdpDevice is made in the thread that forwards (open-socket.ts says
 * why).
 *
 *     openXdp ─► XdpHandle ─► new XdpDevice(umem, handle) ─► … ─► closeXdp ─► XdpDevice.reclaim
 */
import { loadXdp } from '../../sys/bpf.js';
import { replaceProgram } from '../../sys/bpf-link.js';
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
import { type OffloadName, turnOff } from '../offload.js';
import { openTxSocket } from '../packet/tx-socket.js';
import type { QueueShare } from '../queue-share.js';
import { HEADROOM } from '../umem.js';
import { type Attached, attachProgram, type XdpMode, xdpError } from './attach.js';
import { CHUNK } from './chunks.js';
import { addSocket, createXskMap, type Opening, release, switched, type XdpHandle } from './handle.js';
import { type FrameMemory, openXdpSocket } from './open-socket.js';
import { type Intercepted, xdpProgram } from './program.js';

export interface XdpOptions {
  /**
   * What is intercepted: what these maps select, everything (the default), or nothing, to find out
   * whether XDP works.
   */
  intercept?: Intercepted;
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

function open(memory: FrameMemory, name: string, ifindex: number, options: XdpOptions, opening: Opening): XdpHandle {
  const queues = options.queues ?? receiveQueues(name);
  const driver = interfaceDriver(name);
  const xsks = openSockets(memory, ifindex, queues, options, opening);
  if (opening.sockets.length === 0) opening.sender = openTxSocket(ifindex);
  const base = { name, ifindex, queues, frags: hasChunks(memory) };
  if ((options.share?.index ?? 0) !== 0)
    return { ...base, ...done(opening), link: -1, mode: 'native', reason: '', completes: true };
  const keep = (fd: number) => kept(opening, fd);
  const program = keep(loadXdp(xdpProgram(xsks, options.intercept ?? 'all', options.flows), base.frags));
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
  const xsks = share?.xsks ?? kept(opening, createXskMap(count));
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

/** Turns off the offloads that the driver can switch. Returns those that were on. */
function turnOffEach(name: string, offloads: readonly OffloadName[]): OffloadName[] {
  return offloads.flatMap((offload) => switched(turnOff, name, [offload]) ?? []);
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

/**
 * Opens an interface for a packet device: a socket with a mapped ring that receives, and sockets
 * that send. The result is plain data, from which a PacketDevice is made in the thread that
 * forwards. The kernel waits for all CPUs when a packet socket is bound or closed; a thread that
 * forwards must not.
 */
import { check, close, socket } from '../../sys/libc.js';
import { unmapAt } from '../../sys/memory.js';
import {
  AF_PACKET,
  bindPacket,
  ETH_P_ALL,
  joinFanout,
  joinPacket,
  PACKET_IGNORE_OUTGOING,
  PACKET_MR_PROMISC,
  PACKET_VNET_HDR,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_PACKET,
  setFanoutProgram,
  setPacketOption,
} from '../../sys/packet-socket.js';
import { deviceError } from '../error.js';
import { ethernetIndex } from '../ethernet-index.js';
import type { FlowMapFds } from '../flow/layout.js';
import type { PinnedLink } from '../flow/pins.js';
import type { QueueShare } from '../queue-share.js';
import { type BlockSize, openBlockRing } from './block-ring.js';
import { openFlowPrograms } from './flow-programs.js';
import type { RingMemory } from './ring.js';
import { mapSlotRing, openSlotRing, slotBytes } from './slot-ring.js';
import { openTxSocket } from './tx-socket.js';

export interface PacketOptions extends Partial<BlockSize> {
  /**
   * 'slots' (TPACKET_V2, the default): a packet is there at once. 'blocks' (TPACKET_V3): a packet
   * waits up to `retireMs`.
   */
  ring?: 'blocks' | 'slots';
  /** How many slots, a power of two. */
  slots?: number;
  /** Receives frames for other Ethernet addresses, too; false when left out. */
  promiscuous?: boolean;
  /** Forwards GSO packets in one piece, with slots; false when left out. */
  gso?: boolean;
  /** Several workers read the interface, and each gets a part of the frames. */
  share?: QueueShare | undefined;
  /** The kernel forwards by this flow table. */
  flows?: FlowMapFds | undefined;
  /** The classifier of a former process is attached by this link. */
  link?: PinnedLink | undefined;
}

/** An open interface as plain data, valid in every thread of the process. */
export interface PacketHandle {
  readonly name: string;
  readonly ifindex: number;
  /** Socket that receives. */
  readonly fd: number;
  /** Socket that sends. */
  readonly sender: number;
  /** Socket that sends GSO packets; absent: they are cut when they are received. */
  readonly gsoSender?: number | undefined;
  /** Number of its fanout group; absent: the socket receives everything. */
  readonly group?: number | undefined;
  readonly ring: RingMemory;
  /**
   * BPF link of the classifier that forwards by the flow table; absent: none, or another worker's.
   */
  readonly link?: number | undefined;
}

const SLOTS = 8192;
const SIZE: BlockSize = { blocks: 32, blockSize: 1 << 18, retireMs: 1 };

/**
 * Opens interface `name`. Throws a DeviceError: no such interface, not Ethernet, no privilege.
 */
export function openPacket(name: string, options: PacketOptions = {}): PacketHandle {
  const ifindex = ethernetIndex(name);
  const opened: number[] = [];
  try {
    return open(name, ifindex, options, opened);
  } catch (error) {
    for (const fd of opened) close(fd);
    throw deviceError(name, error);
  }
}

/** Closes all sockets, and ends the mapping of the ring. */
export function closePacket({ fd, sender, gsoSender, ring, link }: PacketHandle): void {
  unmapAt(ring.address, ring.length);
  close(sender);
  if (gsoSender !== undefined) close(gsoSender);
  close(fd);
  if (link !== undefined) close(link);
}

/** The handle of another process as one of this process. Throws a SystemError. */
export function adoptPacket(handle: PacketHandle, take: (fd: number) => number): PacketHandle {
  const fd = take(handle.fd);
  const sender = take(handle.sender);
  const gsoSender = handle.gsoSender === undefined ? undefined : take(handle.gsoSender);
  const link = handle.link === undefined ? undefined : take(handle.link);
  return { ...handle, fd, sender, gsoSender, link, ring: mapSlotRing(fd, slotBytes(handle.ring), handle.ring.begin) };
}

/**
 * Gives the adopted sockets of all workers the fanout program of this process. Throws a
 * SystemError.
 */
export function replaceFanout([first]: readonly PacketHandle[], program: number): void {
  if (first !== undefined) setFanoutProgram(first.fd, program);
}

function open(name: string, ifindex: number, options: PacketOptions, opened: number[]): PacketHandle {
  const { share } = options;
  const fd = check(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), 'socket');
  opened.push(fd);
  // The order matters: virtio_net_hdr must be enabled before the ring exists, and the bind starts
  // reception.
  setPacketOption(fd, SOL_PACKET, PACKET_VNET_HDR, 1, 'PACKET_VNET_HDR');
  setPacketOption(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, 'PACKET_IGNORE_OUTGOING');
  const sender = openTxSocket(ifindex);
  opened.push(sender);
  const gsoSender = options.gso === true ? openTxSocket(ifindex, true) : undefined;
  if (gsoSender !== undefined) opened.push(gsoSender);
  const ring =
    options.ring === 'blocks' ? openBlockRing(fd, { ...SIZE, ...options }) : openSlotRing(fd, options.slots ?? SLOTS);
  try {
    // Before the bind: what the classifier forwards must not be in the ring.
    const link = openFlowPrograms({ fd, ifindex, ...options });
    bindPacket(fd, ifindex, ETH_P_ALL);
    if (share?.group !== undefined) joinFanout(fd, share.group, share.program);
    if (options.promiscuous === true) joinPacket(fd, ifindex, PACKET_MR_PROMISC);
    return { name, ifindex, fd, sender, gsoSender, group: share?.group, ring, link };
  } catch (error) {
    unmapAt(ring.address, ring.length);
    throw error;
  }
}

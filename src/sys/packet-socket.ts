/**
 * Packet sockets, packet(7): numbers and structures of linux/if_packet.h and linux/virtio_net.h for
 * x86-64 and arm64.
 */
import { bind, check, getsockopt, setsockopt } from './libc.js';

export const AF_PACKET = 17;
export const SOCK_RAW = 3;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_ERROR = 4;
const SO_SNDBUFFORCE = 32;
const SO_ATTACH_BPF = 50;
const SO_RCVBUFFORCE = 33;
export const SOL_PACKET = 263;
export const ETH_P_ALL = 0x0003;

export const PACKET_ADD_MEMBERSHIP = 1;
export const PACKET_RX_RING = 5;
export const PACKET_STATISTICS = 6;
export const PACKET_COPY_THRESH = 7;
export const PACKET_VERSION = 10;
export const PACKET_RESERVE = 12;
export const PACKET_VNET_HDR = 15;
const PACKET_FANOUT = 18;
export const PACKET_QDISC_BYPASS = 20;
const PACKET_FANOUT_DATA = 22;
export const PACKET_IGNORE_OUTGOING = 23;
const PACKET_FANOUT_HASH = 0;
const PACKET_FANOUT_EBPF = 7;
const PACKET_FANOUT_FLAG_IGNORE_OUTGOING = 0x4000;
export const PACKET_MR_PROMISC = 1;
export const PACKET_MR_ALLMULTI = 2;
export const TPACKET_V2 = 1;
export const TPACKET_V3 = 2;

export const TP_STATUS_KERNEL = 0;
export const TP_STATUS_USER = 1;
export const TP_STATUS_COPY = 2;
export const TP_STATUS_VLAN_VALID = 1 << 4;
export const TP_STATUS_VLAN_TPID_VALID = 1 << 6;

/** Byte offsets in struct tpacket_block_desc (struct tpacket_hdr_v1). */
export const BLOCK = { status: 8, packets: 12, first: 16 } as const;
/** Byte offsets in struct tpacket3_hdr. */
export const TPACKET = { next: 0, snaplen: 12, len: 16, status: 20, mac: 24, vlanTci: 32, vlanTpid: 36 } as const;

/** Byte offsets in struct tpacket2_hdr. */
export const TPACKET2 = { status: 0, len: 4, snaplen: 8, mac: 12, vlanTci: 24, vlanTpid: 26 } as const;

/**
 * Length of struct virtio_net_hdr and byte offsets in it. It is directly before the Ethernet
 * header.
 */
export const VNET = {
  length: 10,
  flags: 0,
  gsoType: 1,
  headerLen: 2,
  gsoSize: 4,
  csumStart: 6,
  csumOffset: 8,
} as const;
export const VNET_NEEDS_CSUM = 1;
export const GSO_TCPV4 = 1;
export const GSO_UDP = 3;
export const GSO_TCPV6 = 4;
export const GSO_UDP_L4 = 5;
export const GSO_ECN = 0x80;

/** setsockopt(2) with an int value. Throws a SystemError(`name`). */
export function setPacketOption(fd: number, level: number, option: number, value: number, name: string): void {
  check(setsockopt(fd, level, option, Int32Array.of(value), 4), name);
}

const SO_SNDBUF = 7;
const SO_RCVBUF = 8;

/**
 * Sets the bytes that the receive or send queue of a socket may hold. In a user namespace
 * net.core.rmem_max and wmem_max limit them. Throws a SystemError.
 */
export function setQueue(fd: number, way: 'receive' | 'send', bytes: number): void {
  const [force, plain] = way === 'receive' ? [SO_RCVBUFFORCE, SO_RCVBUF] : [SO_SNDBUFFORCE, SO_SNDBUF];
  const value = Int32Array.of(bytes);
  if (setsockopt(fd, SOL_SOCKET, force, value, 4) < 0) check(setsockopt(fd, SOL_SOCKET, plain, value, 4), way);
}

/**
 * Binds to an interface (struct sockaddr_ll). `protocol`: EtherType in host order; 0 receives
 * nothing. Throws a SystemError.
 */
export function bindPacket(fd: number, ifindex: number, protocol: number): void {
  const address = new DataView(new ArrayBuffer(20));
  address.setUint16(0, AF_PACKET, true);
  address.setUint16(2, protocol, false);
  address.setInt32(4, ifindex, true);
  check(bind(fd, new Uint8Array(address.buffer), 20), 'bind');
}

/**
 * Creates a TPACKET_V3 ring of `blocks` blocks of `blockSize` bytes (struct tpacket_req3). The
 * kernel passes a block to the process when it is full, or after `retireMs` milliseconds. Throws a
 * SystemError.
 */
export function requestRing(fd: number, blocks: number, blockSize: number, retireMs: number): void {
  const frameSize = 2048; // must divide the block; V3 stores packets of any length
  const frames = (blockSize / frameSize) * blocks;
  const request = Uint32Array.of(blockSize, blocks, frameSize, frames, retireMs, 0, 0);
  check(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, request, 28), 'PACKET_RX_RING');
}

/**
 * Creates a TPACKET_V2 ring of `slots` slots of `size` bytes, both powers of two (struct
 * tpacket_req). Throws a SystemError.
 */
export function requestSlots(fd: number, slots: number, size: number): void {
  const blockSize = Math.min(slots * size, 1 << 16);
  const request = Uint32Array.of(blockSize, (slots * size) / blockSize, size, slots);
  check(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, request, 16), 'PACKET_RX_RING');
}

/**
 * Adds a membership of the interface until the socket is closed (struct packet_mreq). `type`:
 * PACKET_MR_PROMISC or PACKET_MR_ALLMULTI. Throws a SystemError.
 */
export function joinPacket(fd: number, ifindex: number, type: number): void {
  const request = new DataView(new ArrayBuffer(16));
  request.setInt32(0, ifindex, true);
  request.setUint16(4, type, true);
  check(setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, new Uint8Array(request.buffer), 16), 'PACKET_ADD_MEMBERSHIP');
}

/**
 * Adds a bound socket to the fanout group `group` (1–65535), which distributes received packets to
 * its sockets. `program`, an eBPF socket filter, chooses the socket: its result modulo the number
 * of sockets is the index in the order of joining. Without a program a hash of the flow chooses.
 * Throws a SystemError.
 */
export function joinFanout(fd: number, group: number, program?: number): void {
  const type = (program === undefined ? PACKET_FANOUT_HASH : PACKET_FANOUT_EBPF) | PACKET_FANOUT_FLAG_IGNORE_OUTGOING;
  setPacketOption(fd, SOL_PACKET, PACKET_FANOUT, group | (type << 16), 'PACKET_FANOUT');
  if (program !== undefined) setFanoutProgram(fd, program);
}

/** Sets or replaces the filter of a socket, an eBPF socket filter. Throws a SystemError. */
export function setFilter(fd: number, program: number): void {
  setPacketOption(fd, SOL_SOCKET, SO_ATTACH_BPF, program, 'SO_ATTACH_BPF');
}

/** Replaces the program of the fanout group of a socket. Throws a SystemError. */
export function setFanoutProgram(fd: number, program: number): void {
  setPacketOption(fd, SOL_PACKET, PACKET_FANOUT_DATA, program, 'PACKET_FANOUT_DATA');
}

/**
 * Reads and clears the pending error of a socket (SO_ERROR; ENETDOWN when its interface went down).
 * While an error is pending, poll does not block. Returns the errno, or 0.
 */
export function clearSocketError(fd: number): number {
  const value = new Int32Array(1);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, value, Uint32Array.of(4));
  return value[0]!;
}

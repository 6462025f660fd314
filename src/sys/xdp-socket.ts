/** AF_XDP sockets: numbers and structures of linux/if_xdp.h, little endian. */
import { bind, check, getsockopt, setsockopt } from './libc.js';
import { MAP_POPULATE, MAP_SHARED, map } from './memory.js';

export const AF_XDP = 44;
export const SOL_XDP = 283;
const XDP_MMAP_OFFSETS = 1;
const XDP_RX_RING = 2;
const XDP_TX_RING = 3;
const XDP_UMEM_REG = 4;
const XDP_UMEM_FILL_RING = 5;
const XDP_UMEM_COMPLETION_RING = 6;
const XDP_STATISTICS = 7;
const XDP_OPTIONS = 8;
const XDP_MAX_TX_SKB_BUDGET = 9;

export const XDP_SHARED_UMEM = 1;
export const XDP_COPY = 2;
export const XDP_USE_NEED_WAKEUP = 8;
/** Frames may have several descriptors (Linux 6.6). */
export const XDP_USE_SG = 16;
/** In the options of a descriptor: the frame goes on in the next one. */
export const XDP_PKT_CONTD = 1;
/** In the flags of a ring: the kernel waits for a system call before it goes on with the ring. */
export const XDP_RING_NEED_WAKEUP = 1;
const XDP_OPTIONS_ZEROCOPY = 1;

/**
 * The four rings of a socket: the option that creates the ring, the offset of its mapping, bytes of
 * a descriptor.
 */
const RINGS = {
  rx: { option: XDP_RX_RING, page: 0, size: 16 },
  tx: { option: XDP_TX_RING, page: 0x80000000, size: 16 },
  fill: { option: XDP_UMEM_FILL_RING, page: 0x100000000, size: 8 },
  completion: { option: XDP_UMEM_COMPLETION_RING, page: 0x180000000, size: 8 },
} as const;
export type RingName = keyof typeof RINGS;
const ORDER: readonly RingName[] = ['rx', 'tx', 'fill', 'completion'];

/** A mapped ring as plain data, valid in every thread: address, bytes, and byte offsets in it. */
export interface RingMapping {
  readonly address: number;
  readonly length: number;
  readonly producer: number;
  readonly consumer: number;
  readonly descriptors: number;
  readonly flags: number;
}

/**
 * Registers the Umem of a socket (struct xdp_umem_reg): `length` bytes at `address`, which begins a
 * page, in chunks of `chunkSize` bytes. Throws a SystemError.
 */
export function registerUmem(fd: number, address: number, length: number, chunkSize: number, headroom: number): void {
  const request = new DataView(new ArrayBuffer(32));
  request.setBigUint64(0, BigInt(address), true);
  request.setBigUint64(8, BigInt(length), true);
  request.setUint32(16, chunkSize, true);
  request.setUint32(20, headroom, true);
  check(setsockopt(fd, SOL_XDP, XDP_UMEM_REG, new Uint8Array(request.buffer), 32), 'XDP_UMEM_REG');
}

/**
 * Creates and maps the four rings with `entries` slots each, a power of two. Throws a SystemError.
 */
export function makeRings(fd: number, entries: number): Record<RingName, RingMapping> {
  const count = Int32Array.of(entries);
  for (const name of ORDER) check(setsockopt(fd, SOL_XDP, RINGS[name].option, count, 4), `XDP ring ${name}`);
  return mapRings(fd, entries);
}

/** Maps the four rings of a socket that has them, also one of another process. Throws as above. */
export function mapRings(fd: number, entries: number): Record<RingName, RingMapping> {
  const offsets = new BigUint64Array(16);
  check(getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, offsets, Uint32Array.of(128)), 'XDP_MMAP_OFFSETS');
  const made = ORDER.map((name, i) => [name, mapRing(fd, name, entries, [...offsets.subarray(4 * i, 4 * i + 4)])]);
  return Object.fromEntries(made) as Record<RingName, RingMapping>;
}

/** Maps a ring. `offset`: struct xdp_ring_offset with producer, consumer, descriptors, flags. */
function mapRing(fd: number, name: RingName, entries: number, offset: readonly bigint[]): RingMapping {
  const [producer, consumer, descriptors, flags] = offset.map(Number) as [number, number, number, number];
  const { page, size } = RINGS[name];
  const length = descriptors + entries * size;
  const { address } = map(length, MAP_SHARED | MAP_POPULATE, fd, page);
  return { address, length, producer, consumer, descriptors, flags };
}

/**
 * Binds to a queue of an interface (struct sockaddr_xdp). `sharedFd`: with XDP_SHARED_UMEM in the
 * flags, the socket that has registered the Umem. Throws a SystemError.
 */
export function bindXdp(fd: number, ifindex: number, queue: number, flags: number, sharedFd: number): void {
  const address = new DataView(new ArrayBuffer(16));
  address.setUint16(0, AF_XDP, true);
  address.setUint16(2, flags, true);
  address.setUint32(4, ifindex, true);
  address.setUint32(8, queue, true);
  address.setUint32(12, sharedFd, true);
  check(bind(fd, new Uint8Array(address.buffer), 16), 'bind');
}

/**
 * Sets how many frames one system call sends in copy mode. A kernel without the option sends 32.
 */
export function setSendBudget(fd: number, frames: number): void {
  setsockopt(fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, Int32Array.of(frames), 4);
}

/** True when the driver reads and writes the Umem itself (zero-copy). Throws a SystemError. */
export function isZeroCopy(fd: number): boolean {
  const options = Uint32Array.of(0);
  check(getsockopt(fd, SOL_XDP, XDP_OPTIONS, options, Uint32Array.of(4)), 'XDP_OPTIONS');
  return (options[0]! & XDP_OPTIONS_ZEROCOPY) !== 0;
}

export interface XdpStatistics {
  /** Frames that were too long, or that found no posted frame, or a full rx ring. */
  readonly rxDropped: number;
  /** Descriptors that the kernel rejected. */
  readonly txInvalid: number;
}

/** Reads struct xdp_statistics. Throws a SystemError. */
export function xdpStatistics(fd: number): XdpStatistics {
  const values = new BigUint64Array(6);
  check(getsockopt(fd, SOL_XDP, XDP_STATISTICS, values, Uint32Array.of(48)), 'XDP_STATISTICS');
  const [dropped, , txInvalid, ringFull] = [...values].map(Number);
  return { rxDropped: dropped! + ringFull!, txInvalid: txInvalid! };
}

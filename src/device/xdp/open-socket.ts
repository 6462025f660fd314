/**
 * Opens an AF_XDP socket: socket, Umem, rings, bind. The result is plain data. The thread that
 * opens a socket need not be the thread that uses it: bind and close may take many milliseconds,
 * for which a thread that forwards must not wait.
 */
import { check, close, SystemError, socket } from '../../sys/libc.js';
import { unmapAt } from '../../sys/memory.js';
import { SOCK_CLOEXEC, SOCK_RAW } from '../../sys/packet-socket.js';
import {
  AF_XDP,
  bindXdp,
  isZeroCopy,
  makeRings,
  mapRings,
  type RingMapping,
  type RingName,
  registerUmem,
  setSendBudget,
  XDP_COPY,
  XDP_SHARED_UMEM,
  XDP_USE_NEED_WAKEUP,
  XDP_USE_SG,
} from '../../sys/xdp-socket.js';
import { HEADROOM } from '../umem.js';
import { CHUNK } from './chunks.js';

/** Wait between two tries to bind, in ms. */
const BUSY_MS = 20;
const BUSY_TRIES = 50;
/** Bytes that the kernel adds to the headroom (XDP_PACKET_HEADROOM). */
const KERNEL_HEADROOM = 256;
/** Frames that one call of the kernel sends at most. */
const SEND_BUDGET = 512;
/** Numbers of sockets; a Umem has a byte for each frame. */
const NUMBERS = 255;

/** The frames of a Umem, by their address. */
export interface FrameMemory {
  readonly address: number;
  readonly frames: number;
  readonly frameSize: number;
}

/** An open socket as plain data, valid in every thread of the process. */
export interface XdpSocketHandle {
  readonly fd: number;
  readonly queue: number;
  /** Slots of each ring. */
  readonly entries: number;
  readonly rings: Readonly<Record<RingName, RingMapping>>;
  readonly zeroCopy: boolean;
  /** 1–255, unlike that of any other socket of the Umem: marks the frames that the kernel has. */
  readonly number: number;
}

export interface SocketPlace {
  readonly ifindex: number;
  readonly queue: number;
  /**
   * Slots of each ring, a power of two: the most frames posted for receiving. At most SHALLOW are
   * being sent.
   */
  readonly entries: number;
  /** Copy mode, also where the driver has zero-copy. */
  readonly copy: boolean;
}

let lastNumber = 0;

/**
 * Opens a socket on a queue. `sharing`: another open socket with the same Umem; without one the
 * Umem is registered. Throws a SystemError.
 */
export function openXdpSocket(memory: FrameMemory, place: SocketPlace, sharing: number | undefined): XdpSocketHandle {
  const { queue, entries } = place;
  const fd = check(socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), 'socket');
  let rings: XdpSocketHandle['rings'] | undefined;
  try {
    if (sharing === undefined) register(fd, memory);
    rings = makeRings(fd, entries);
    bindTo(fd, place, sharing, memory.frameSize > CHUNK);
    setSendBudget(fd, SEND_BUDGET);
    lastNumber = (lastNumber % NUMBERS) + 1;
    return { fd, queue, entries, rings, zeroCopy: isZeroCopy(fd), number: lastNumber };
  } catch (error) {
    release(fd, rings);
    throw error;
  }
}

/** A socket of another process, whose duplicate is `fd`, with its rings mapped here. */
export function adoptXdpSocket(handle: XdpSocketHandle, fd: number): XdpSocketHandle {
  // A later socket of the same Umem must have another number.
  lastNumber = Math.max(lastNumber, handle.number);
  return { ...handle, fd, rings: mapRings(fd, handle.entries) };
}

/** Closes the socket. Its frames are then nobody's; XdpSocket.reclaim frees them. */
export function closeXdpSocket({ fd, rings }: XdpSocketHandle): void {
  release(fd, rings);
}

function register(fd: number, { address, frames, frameSize }: FrameMemory): void {
  registerUmem(fd, address, frames * frameSize, Math.min(frameSize, CHUNK), HEADROOM - KERNEL_HEADROOM);
}

/** `several`: frames may have several descriptors, as the first socket of a Umem says for all. */
function bindTo(
  fd: number,
  { ifindex, queue, copy }: SocketPlace,
  sharing: number | undefined,
  several: boolean,
): void {
  const own = XDP_USE_NEED_WAKEUP | (copy ? XDP_COPY : 0) | (several ? XDP_USE_SG : 0);
  retryWhileBusy(() => bindXdp(fd, ifindex, queue, sharing === undefined ? own : XDP_SHARED_UMEM, sharing ?? 0));
}

function release(fd: number, rings: XdpSocketHandle['rings'] | undefined): void {
  for (const { address, length } of Object.values(rings ?? {})) unmapAt(address, length);
  close(fd);
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

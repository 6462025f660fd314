/** How large the Umem of a worker is, and the memory for it. */
import { totalmem } from 'node:os';
import { receiveQueues } from '../sys/interface.js';
import { close } from '../sys/libc.js';
import {
  MAP_ANONYMOUS,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  map,
  memoryFile,
  unmapAt,
  viewAt,
} from '../sys/memory.js';
import { HEADER } from '../wire/ethernet.js';
import { TAG } from '../wire/vlan.js';
import { LARGE_FRAME } from './large-frames.js';
import { HEADROOM, Umem } from './umem.js';
import { SHALLOW } from './xdp/depth.js';

/** Bytes. */
const SMALLEST_FRAME = 2048;
/** Frames for the devices that do not post frames in rings. */
const FRAMES = 8192;
/**
 * Slots of a ring; the largest number that fits in memory is used. 16,384 frames are 20 ms at
 * 800,000 frames a second: a long time for a thread to wait for its CPU.
 */
const SLOTS = [16_384, 8192, 4096, 2048, 1024];
/** Bytes of a worker's frames, at most. */
const MOST_BYTES = 160 << 20;
/** On a small machine they are at most one 32nd of the memory. */
const PART = 32;

/**
 * A Umem in mapped memory that begins on a page, as AF_XDP needs it. Call `unmap` only when no
 * device uses the Umem any more. Throws a SystemError.
 */
export function mappedUmem(frameCount: number, frameSize = SMALLEST_FRAME): { umem: Umem; unmap: () => void } {
  const mapping = map(frameCount * frameSize, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return { umem: new Umem(frameCount, frameSize, mapping.buffer), unmap: () => mapping.unmap() };
}

/**
 * The memory of a Umem as plain data, valid in every thread. It is a file, so that another process
 * can map it, too.
 *
 *     | frame 0 | frame 1 | … | frame n−1 | large frames | held: a byte a frame (umem.ts) |
 */
export interface UmemMemory {
  readonly fd: number;
  readonly address: number;
  readonly frames: number;
  readonly frameSize: number;
  /** Number of large frames (large-frames.ts); absent in what an older process gives: none. */
  readonly large?: number;
}

/** Makes the memory of a Umem. Throws a SystemError. */
export function makeUmem(frames: number, frameSize: number, large = 0): UmemMemory {
  const fd = memoryFile('ulvs-umem', bytesOf(frames, frameSize, large));
  try {
    return mapUmem(fd, frames, frameSize, large);
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** Maps the memory that another process has made. Throws a SystemError. */
export function mapUmem(fd: number, frames: number, frameSize: number, large = 0): UmemMemory {
  const { address } = map(bytesOf(frames, frameSize, large), MAP_SHARED | MAP_POPULATE, fd, 0);
  return { fd, address, frames, frameSize, large };
}

/** The Umem in such memory. Frames that are held already stay held. */
export function umemIn({ address, frames, frameSize, large = 0 }: UmemMemory): Umem {
  const bytes = frames * frameSize + large * LARGE_FRAME;
  const held = new Uint8Array(viewAt(address + bytes, frames));
  return new Umem(frames, frameSize, viewAt(address, bytes), held, large);
}

/** Gives the memory back. Call it when no thread and no socket uses it any more. */
export function removeUmem({ fd, address, frames, frameSize, large }: UmemMemory): void {
  unmapAt(address, bytesOf(frames, frameSize, large));
  close(fd);
}

function bytesOf(frames: number, frameSize: number, large = 0): number {
  return frames * frameSize + large * LARGE_FRAME + frames;
}

/**
 * Frame size in bytes, a power of two: it holds the headroom and the longest frame of devices with
 * these MTUs.
 */
export function frameSizeFor(mtus: readonly number[]): number {
  const longest = Math.max(...mtus) + HEADER + HEADROOM + TAG;
  let size = SMALLEST_FRAME;
  while (size < longest) size *= 2;
  return size;
}

/**
 * How many frames the devices of a worker need together, and how many slots each ring has.
 * `posting`: names of the interfaces whose devices post frames in rings. `workers` share the
 * receive queues.
 */
export function framesFor(
  posting: readonly string[],
  frameSize: number,
  workers = 1,
): { frames: number; entries: number } {
  const queues = posting.reduce((sum, name) => sum + Math.ceil(receiveQueues(name) / workers), 0);
  return ringsFor(queues, frameSize, totalmem());
}

/** The same for a number of queues, on a machine with `memory` bytes. */
export function ringsFor(queues: number, frameSize: number, memory: number): { frames: number; entries: number } {
  const framesOf = (entries: number) => FRAMES + queues * (entries + Math.min(entries, SHALLOW));
  const room = Math.min(MOST_BYTES, memory / PART);
  const entries = SLOTS.find((slots) => framesOf(slots) * frameSize <= room) ?? SLOTS.at(-1)!;
  return { frames: framesOf(entries), entries };
}

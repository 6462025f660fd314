import { totalmem } from 'node:os';
import { receiveQueues } from '../sys/interface.js';
import { MAP_ANONYMOUS, MAP_POPULATE, MAP_PRIVATE, map } from '../sys/libc.js';
import { HEADROOM, Umem } from './umem.js';
import { SHALLOW } from './xdp/depth.js';

const SMALLEST_FRAME = 2048;
const ETHERNET = 14;
const TAG = 4;
/** Frames for all but xdp devices, which keep many with the kernel. */
const FRAMES = 8192;
/** Slots of a ring: the most that memory allows. 16,384 frames are 20 ms at 800,000 a second, a long wait for a CPU. */
const SLOTS = [16_384, 8192, 4096, 2048, 1024];
/** A worker's frames take no more than that, and of a small machine's memory not more than such a part. */
const MOST_BYTES = 160 << 20;
const PART = 32;

/** A Umem that the kernel can share (AF_XDP): it begins on a page. `unmap` only when no device has it any more. */
export function mappedUmem(frameCount: number, frameSize = SMALLEST_FRAME): { umem: Umem; unmap: () => void } {
  const mapping = map(frameCount * frameSize, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return { umem: new Umem(frameCount, frameSize, mapping.buffer), unmap: () => mapping.unmap() };
}

/** A power of two that holds the largest frame of devices with these MTUs behind the headroom. */
export function frameSizeFor(mtus: readonly number[]): number {
  const longest = Math.max(...mtus) + ETHERNET + HEADROOM + TAG;
  let size = SMALLEST_FRAME;
  while (size < longest) size *= 2;
  return size;
}

/**
 * How many frames a worker's devices need together, of which `xdp` are the names of xdp devices, and how many slots their rings
 * have. The queues are shared by so many workers.
 */
export function framesFor(xdp: readonly string[], frameSize: number, workers = 1): { frames: number; entries: number } {
  const queues = xdp.reduce((sum, name) => sum + Math.ceil(receiveQueues(name) / workers), 0);
  return ringsFor(queues, frameSize, totalmem());
}

/** For so many queues, on a machine with so many bytes of memory. */
export function ringsFor(queues: number, frameSize: number, memory: number): { frames: number; entries: number } {
  const framesOf = (entries: number) => FRAMES + queues * (entries + Math.min(entries, SHALLOW));
  const room = Math.min(MOST_BYTES, memory / PART);
  const entries = SLOTS.find((slots) => framesOf(slots) * frameSize <= room) ?? SLOTS.at(-1)!;
  return { frames: framesOf(entries), entries };
}

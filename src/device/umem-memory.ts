import { receiveQueues } from '../sys/interface.js';
import { MAP_ANONYMOUS, MAP_POPULATE, MAP_PRIVATE, map } from '../sys/libc.js';
import { HEADROOM, Umem } from './umem.js';

const SMALLEST_FRAME = 2048;
const ETHERNET = 14;
const TAG = 4;
/** Frames for all but xdp devices, which keep many with the kernel. */
const FRAMES = 8192;
/** A ring holds what comes while the director waits for a CPU: 4096 frames are 5 ms at 800,000 a second. */
const SLOTS = 4096;
/** With more queues than this each gets fewer frames. */
const FEW_QUEUES = 8;
const FEW_SLOTS = 1024;

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
export function framesFor(xdp: readonly string[], workers = 1): { frames: number; entries: number } {
  const queues = xdp.reduce((sum, name) => sum + Math.ceil(receiveQueues(name) / workers), 0);
  const entries = queues <= FEW_QUEUES ? SLOTS : FEW_SLOTS;
  return { frames: FRAMES + 2 * queues * entries, entries };
}

import { MAP_ANONYMOUS, MAP_POPULATE, MAP_PRIVATE, map } from '../sys/libc.js';
import { Umem } from './umem.js';

/** A Umem that the kernel can share (AF_XDP): it begins on a page. `unmap` only when no device has it any more. */
export function mappedUmem(frameCount: number, frameSize = 2048): { umem: Umem; unmap: () => void } {
  const mapping = map(frameCount * frameSize, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return { umem: new Umem(frameCount, frameSize, mapping.buffer), unmap: () => mapping.unmap() };
}

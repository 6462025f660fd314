import { adviseLargePages } from '../sys/libc.js';

/** From here on less memory is 4 kB pages' business anyway. */
const SMALLEST = 2 << 20;

/** Memory that is read here and there by each packet: with pages of 2 MB the processor finds it without a walk for most reads. */
export function useLargePages(buffer: ArrayBufferLike): void {
  if (buffer.byteLength >= SMALLEST) adviseLargePages(buffer);
}

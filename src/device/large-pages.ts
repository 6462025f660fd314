import { adviseLargePages } from '../sys/libc.js';

/** From here on less memory is 4 kB pages' business anyway. */
const SMALLEST = 2 << 20;
/**
 * A larger connection table (over 4 million entries) keeps small pages: the kernel clears a large page at its first touch, and moves
 * others out of the way for it when memory is in pieces, which is likelier the more of them are wanted. Nobody has measured that
 * here; but a pause is worse than a slower look-up.
 */
const LARGEST = 257 << 20;

/**
 * Memory that is read here and there by each packet, of which the first is the table: with pages of 2 MB the processor finds it
 * without a walk for most reads.
 */
export function useLargePages(table: ArrayBufferLike, ...others: readonly ArrayBufferLike[]): void {
  if (table.byteLength > LARGEST) return;
  for (const buffer of [table, ...others]) if (buffer.byteLength >= SMALLEST) adviseLargePages(buffer);
}

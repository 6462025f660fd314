/**
 * Asks the kernel for large pages (MADV_HUGEPAGE, madvise(2)) for memory that every packet reads at
 * random places.
 */
import { adviseLargePages } from '../sys/memory.js';

/** Bytes; smaller memory cannot hold a page of 2 MB. */
const SMALLEST = 2 << 20;
/**
 * Bytes; a larger connection table (over 4 million entries) keeps small pages. The kernel clears a
 * large page when it is first touched, and it may have to compact memory first. That takes longer
 * the more pages are wanted. The pause was not measured here, but a pause is worse than a slower
 * look-up.
 */
const LARGEST = 257 << 20;

/**
 * Uses pages of 2 MB for the connection table and its index: most reads then hit the TLB. Does
 * nothing when the first buffer, the table, is larger than LARGEST.
 */
export function useLargePages(table: ArrayBufferLike, ...others: readonly ArrayBufferLike[]): void {
  if (table.byteLength > LARGEST) return;
  for (const buffer of [table, ...others]) if (buffer.byteLength >= SMALLEST) adviseLargePages(buffer);
}

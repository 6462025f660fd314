/**
 * The IPv6 tables that rules ask unconditionally, as one list (compiled-routes.ts): the first row
 * that covers an address has its route, whatever the packet's source and mark are.
 *
 *     row: [ prefix ×4 | mask ×4 | number of the route ]     table by table, in each the longest prefix first
 *
 * A row has masks, so that a look-up compares whole words. Most rows differ in their first or
 * second word.
 */

/** Words of a row. */
export const FIB6_WORDS = 9;
export const MASK = 4;
export const ROUTE = 8;

/** Writes the mask of a prefix length to the four words from `at`. */
export function writeMask(rows: Int32Array, at: number, length: number): void {
  for (let i = 0, left = length; left > 0; i++, left -= 32) rows[at + i] = left >= 32 ? -1 : -1 << (32 - left);
}

/** The number of the route to the address in the four words from `from`; −1 for none. */
export function findIn(fib: Int32Array, addresses: Int32Array, from: number): number {
  const first = addresses[from]!;
  const second = addresses[from + 1]!;
  const third = addresses[from + 2]!;
  const fourth = addresses[from + 3]!;
  for (let at = 0; at < fib.length; at += FIB6_WORDS) {
    if (((fib[at]! ^ first) & fib[at + MASK]!) !== 0 || ((fib[at + 1]! ^ second) & fib[at + MASK + 1]!) !== 0) continue;
    if ((((fib[at + 2]! ^ third) & fib[at + MASK + 2]!) | ((fib[at + 3]! ^ fourth) & fib[at + MASK + 3]!)) === 0)
      return fib[at + ROUTE]!;
  }
  return -1;
}

/**
 * Prefetches entries that are about to end: their lines, then the buckets that hold them and the
 * first entries there. The loops are short and their loads independent, so that the cache misses of
 * a whole block overlap. One after the other they were a third of the cost of a SYN flood.
 */
import { ENTRY_SHIFT, secondWord } from './entry.js';
import type { ConnectionTable } from './table.js';
import type { Prefetch } from './wheel.js';

/** Most entries in a block of the timer wheel. */
const ROOM = 16;
/**
 * Index in `heads` of a word that nothing reads: without a use the compiler would remove the loads.
 */
const UNREAD = ROOM;

/**
 * A closure, because V8 compiles what it closes over as constants (dataplane/fastpath/fastpath.ts).
 */
export function removalPrefetcher(table: ConnectionTable): Prefetch {
  const { words, buckets } = table;
  // Longer than needed, so that V8 places it outside its heap.
  const heads = new Int32Array(2 * ROOM);

  return (places, first, end) => {
    let unread = 0;
    for (let i = first; i < end; i++) unread ^= words[places[i]! << ENTRY_SHIFT]!;
    for (let i = first; i < end; i++) heads[i - first] = buckets[table.bucketOfEntry(places[i]! << ENTRY_SHIFT)]!;
    for (let i = first; i < end; i++)
      unread ^= words[heads[i - first]! << ENTRY_SHIFT]! ^ secondWord(words, places[i]!);
    heads[UNREAD] = unread;
  };
}

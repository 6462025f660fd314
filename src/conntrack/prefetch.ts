/**
 * Connections that are about to end are fetched before: their lines, then the buckets they are taken out of and the first
 * entries there. Short loops whose loads do not wait for each other, so the processor has the cache misses of a whole block
 * under way at once; one after the other they were a third of a SYN flood's cost.
 */
import { ENTRY_SHIFT, secondWord } from './entry.js';
import type { ConnectionTable } from './table.js';
import type { Prefetch } from './wheel.js';

/** No block has more entries. */
const ROOM = 16;
/** Of `heads`: nobody reads it, but loads whose result goes nowhere are left out by the compiler. */
const UNREAD = ROOM;

/** A closure for the reason that `express` is one (dataplane/fastpath/fastpath.ts). */
export function removalPrefetcher(table: ConnectionTable): Prefetch {
  const { words, buckets } = table;
  // Longer than needed, so that V8 keeps it off its heap.
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

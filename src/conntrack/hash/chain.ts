/**
 * The chain of a bucket, newest entry first, and its limit for connections of one client address
 * and port. A client that walks a range of virtual addresses would make the chain long: over the
 * limit its connections move to the tuple index.
 *
 *     bucket ─► c2 ─► other ─► c1 ─► 0        a third of client c comes: c1, c2, then c3 go to the index, the chain is short again
 */
import { Method } from '../../service/service.js';
import {
  CADDR,
  CONN_FULLNAT,
  CONN_NO_CPORT,
  CONN_REVERSE,
  CONN_TEMPLATE,
  ENTRY_SHIFT,
  FLAGS,
  METHOD_MASK,
  NEXT,
  PORTS,
  VADDR,
} from '../entry.js';

/** Connections of one client address and port that a chain may hold. */
const MAX_PER_CLIENT = 2;
/** Entries that never move to the index: they are found by other fields, or their fields change. */
const PINNED = CONN_TEMPLATE | CONN_FULLNAT | CONN_REVERSE | CONN_NO_CPORT;

/**
 * The chain holds the limit of connections of the client of the new entry at word `at`, and no
 * pinned entry that the new one must precede.
 */
export function isChainFull(words: Int32Array, head: number, at: number): boolean {
  if (isPinned(words, at)) return false;
  let same = 0;
  for (let entry = head; entry !== 0; entry = words[(entry << ENTRY_SHIFT) + NEXT]!) {
    const other = entry << ENTRY_SHIFT;
    if (!isSameClient(words, other, at)) continue;
    if (!isPinned(words, other)) same++;
    else if (words[other + PORTS] === words[at + PORTS] && words[other + VADDR] === words[at + VADDR]) return false;
  }
  return same >= MAX_PER_CLIENT;
}

/**
 * The oldest entry in the chain, of the client of the entry at word `at`, that is not pinned; 0:
 * none.
 */
export function oldestOf(words: Int32Array, head: number, at: number): number {
  let last = 0;
  for (let entry = head; entry !== 0; entry = words[(entry << ENTRY_SHIFT) + NEXT]!)
    if (isSameClient(words, entry << ENTRY_SHIFT, at) && !isPinned(words, entry << ENTRY_SHIFT)) last = entry;
  return last;
}

/** Takes `entry` out of the chain of `bucket`, which holds it. */
export function unlink(words: Int32Array, buckets: Int32Array, bucket: number, entry: number): void {
  const next = words[(entry << ENTRY_SHIFT) + NEXT]!;
  let before = buckets[bucket]!;
  if (before === entry) {
    buckets[bucket] = next;
    return;
  }
  while (words[(before << ENTRY_SHIFT) + NEXT] !== entry) before = words[(before << ENTRY_SHIFT) + NEXT]!;
  words[(before << ENTRY_SHIFT) + NEXT] = next;
}

function isSameClient(words: Int32Array, a: number, b: number): boolean {
  return words[a + CADDR] === words[b + CADDR] && (words[a + PORTS]! ^ words[b + PORTS]!) >>> 16 === 0;
}

function isPinned(words: Int32Array, at: number): boolean {
  const flags = words[at + FLAGS]!;
  return (flags & PINNED) !== 0 || (flags & METHOD_MASK) === Method.fullnat;
}

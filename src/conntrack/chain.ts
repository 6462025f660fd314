/**
 * A bucket's chain of entries, the newest first, and how many of one client it may hold: one client address and port that walks
 * a range of virtual addresses would make it long, so its connections go to the index by the whole tuple (tuple-index.ts).
 *
 *     bucket ─► c2 ─► other ─► c1 ─► 0        a third of client c comes: c1, c2, then c3 go to the index, the chain is short again
 */
import { Method } from '../service/service.js';
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
} from './entry.js';

/** Connections of one client address and port that a chain may hold. */
const CROWD = 2;
/** What is never taken out of a chain: what is found otherwise, or has words that change. */
const STAYS = CONN_TEMPLATE | CONN_FULLNAT | CONN_REVERSE | CONN_NO_CPORT;

/** The chain holds enough of the client of the new line `at`, and none that stays and has to be behind the new one in it. */
export function isChainFull(words: Int32Array, head: number, at: number): boolean {
  if (stays(words, at)) return false;
  let same = 0;
  for (let entry = head; entry !== 0; entry = words[(entry << ENTRY_SHIFT) + NEXT]!) {
    const other = entry << ENTRY_SHIFT;
    if (!isSameClient(words, other, at)) continue;
    if (!stays(words, other)) same++;
    else if (words[other + PORTS] === words[at + PORTS] && words[other + VADDR] === words[at + VADDR]) return false;
  }
  return same >= CROWD;
}

/** The oldest entry of the client of line `at` that may be taken out of the chain, or 0. */
export function oldestOf(words: Int32Array, head: number, at: number): number {
  let last = 0;
  for (let entry = head; entry !== 0; entry = words[(entry << ENTRY_SHIFT) + NEXT]!)
    if (isSameClient(words, entry << ENTRY_SHIFT, at) && !stays(words, entry << ENTRY_SHIFT)) last = entry;
  return last;
}

/** `entry` is in that bucket's chain. */
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

function stays(words: Int32Array, at: number): boolean {
  const flags = words[at + FLAGS]!;
  return (flags & STAYS) !== 0 || (flags & METHOD_MASK) === Method.fullnat;
}

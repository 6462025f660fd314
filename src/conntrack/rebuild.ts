/**
 * Rebuilds the index of a connection table that another thread or process left: buckets, timers,
 * free list, gauges. It trusts no word of the memory but the sealed ones (seal.ts). It works in
 * steps, so that packets pass between them: an entry is found as soon as it was adopted.
 *
 *     check     each entry: sound? else it is dropped        marks: 0 free  1 entry  2 line of an entry  3 adopted
 *     tie       templates and control connections count their children again
 *     adopt     entries get bucket, timer and destination back; other lines go into the free list
 *
 * Nothing ends by its timer meanwhile (Connections.tick), because it could be half adopted.
 */

import type { Connections } from './connections.js';
import {
  CONN_ENGINE_KEY,
  CONN_FULLNAT,
  CONN_HASHED,
  CONN_IPV6,
  CONN_REVERSE,
  CONTROL,
  CONTROLLED,
  DADDR,
  ENTRY_SHIFT,
  EXPIRES,
  FLAGS,
  HIGH_WATER_WORD,
  KEY,
  LIVE_WORD,
  NEXT,
  TIMEOUT,
} from './entry.js';
import { Soundness } from './sound.js';
import { PREFETCHED } from './table.js';

const FREE = 0;
const ENTRY = 1;
const LINE = 2;
const ADOPTED = 3;

/** Data connection, control connection, template: no entry has more ancestors. */
const DEEPEST = 2;

/** One rebuild of one table. */
export class Rebuild {
  /** Entries that go on, reverse lines not counted. */
  kept = 0;
  /** Entries that were not sound. */
  lost = 0;
  private readonly words: Int32Array;
  private readonly end: number;
  private readonly marks: Uint8Array;
  private readonly soundness: Soundness;
  private phase: 'check' | 'tie' | 'adopt' = 'check';
  private at = 1;
  private hasChildren = false;

  /**
   * `counted`: the gauges of the destinations still count these entries, because other workers go
   * on; otherwise their owner has set them to 0.
   */
  constructor(
    private readonly connections: Connections,
    private readonly counted = false,
  ) {
    const { table, words } = connections;
    this.words = words;
    this.end = words[HIGH_WATER_WORD] = clamp(words[HIGH_WATER_WORD]!, table.maxEntries);
    this.marks = new Uint8Array(this.end + 1);
    this.soundness = new Soundness(table, this.end, (slot) => connections.hasDest(slot));
    table.forgetIndex(clamp(words[LIVE_WORD]!, this.end));
  }

  /** Looks at `budget` lines at most. Returns true when the rebuild is complete. */
  step(budget: number): boolean {
    for (let left = budget; left > 0; ) {
      const last = Math.min(this.end, this.at + left - 1);
      left -= last - this.at + 1;
      this.run(last);
      if (this.at <= this.end) return false;
      if (this.phase === 'adopt') return true;
      this.phase = this.phase === 'check' && this.hasChildren ? 'tie' : 'adopt';
      this.at = 1;
    }
    return false;
  }

  private run(last: number): void {
    if (this.phase === 'check') for (; this.at <= last; this.at++) this.check(this.at);
    else if (this.phase === 'tie') for (; this.at <= last; this.at++) this.tie(this.at);
    else
      while (this.at <= last) {
        const end = Math.min(last, this.at + PREFETCHED - 1);
        this.connections.table.prefetch(this.at, end);
        for (; this.at <= end; this.at++) this.adopt(this.at);
      }
  }

  private check(entry: number): void {
    const at = entry << ENTRY_SHIFT;
    const { words } = this;
    if ((words[at + FLAGS]! & CONN_HASHED) === 0) return;
    if (this.counted) this.connections.discount(entry);
    if (!this.soundness.isSound(entry) || !this.claim(at)) {
      words[at + FLAGS] = 0;
      this.lost++;
      return;
    }
    this.marks[entry] = ENTRY;
    words[at + CONTROLLED] = 0;
    if (words[at + CONTROL] !== 0) this.hasChildren = true;
    const { now } = this.connections;
    if (((words[at + EXPIRES]! - now) | 0) > words[at + TIMEOUT]!)
      words[at + EXPIRES] = (now + words[at + TIMEOUT]!) | 0;
  }

  /** Marks the lines of an entry. Returns false when another entry has one of them. */
  private claim(at: number): boolean {
    const { words, marks } = this;
    const flags = words[at + FLAGS]!;
    const wide = (flags & CONN_IPV6) !== 0 ? words[at + DADDR]! : 0;
    const key = (flags & CONN_ENGINE_KEY) !== 0 ? words[at + KEY]! : 0;
    if (wide !== 0 && marks[wide] !== FREE) return false;
    for (let line = key; line !== 0; line = words[(line << ENTRY_SHIFT) + NEXT]!)
      if (line === wide || marks[line] !== FREE) return false;
    if (wide !== 0) marks[wide] = LINE;
    for (let line = key; line !== 0; line = words[(line << ENTRY_SHIFT) + NEXT]!) marks[line] = LINE;
    return true;
  }

  /** Ties a child to its parent again, or makes it an orphan. */
  private tie(entry: number): void {
    const at = entry << ENTRY_SHIFT;
    const { words } = this;
    if (this.marks[entry] !== ENTRY || words[at + CONTROL] === 0 || (words[at + FLAGS]! & CONN_REVERSE) !== 0) return;
    if (this.hasAncestors(entry)) words[(words[at + CONTROL]! << ENTRY_SHIFT) + CONTROLLED]!++;
    else words[at + CONTROL] = 0;
  }

  /** All ancestors are entries, and they are no more than there can be. */
  private hasAncestors(entry: number): boolean {
    const { words, marks } = this;
    let parent = words[(entry << ENTRY_SHIFT) + CONTROL]!;
    for (let n = 0; parent !== 0; n++) {
      if (n === DEEPEST || parent < 0 || parent > this.end || marks[parent] !== ENTRY) return false;
      if ((words[(parent << ENTRY_SHIFT) + FLAGS]! & CONN_REVERSE) !== 0) return false;
      parent = words[(parent << ENTRY_SHIFT) + CONTROL]!;
    }
    return true;
  }

  private adopt(entry: number): void {
    const { marks, connections, words } = this;
    if (marks[entry] === FREE) return connections.table.reclaim(entry);
    const at = entry << ENTRY_SHIFT;
    const flags = words[at + FLAGS]!;
    if (marks[entry] !== ENTRY || (flags & CONN_REVERSE) !== 0) return;
    connections.adopt(entry, this.linesOf(at, flags));
    marks[entry] = ADOPTED;
    this.kept++;
    if ((flags & CONN_FULLNAT) === 0) return;
    connections.table.adopt(words[at + DADDR]!, 1);
    marks[words[at + DADDR]!] = ADOPTED;
  }

  private linesOf(at: number, flags: number): number {
    let lines = (flags & CONN_IPV6) !== 0 ? 2 : 1;
    if ((flags & CONN_ENGINE_KEY) === 0) return lines;
    for (let line = this.words[at + KEY]!; line !== 0; line = this.words[(line << ENTRY_SHIFT) + NEXT]!) lines++;
    return lines;
  }
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(value, most));
}

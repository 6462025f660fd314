/**
 * Rebuilds the index of a connection table that another thread or process left: buckets, timers,
 * free list, gauges. It trusts no word of the memory but the sealed ones (seal.ts). It works in
 * steps, so that packets pass between them: an entry is found a moment after it was adopted.
 *
 *     scan      each entry: sound? else it is dropped. One without relatives is adopted at once: it
 *               gets its timer and destination back, and its bucket with others (radix.ts)
 *     tie       templates and control connections count their children again
 *     rest      entries with relatives are adopted; lines that nothing uses go into the free list
 *     link      what still waits for its bucket
 *
 *     marks     0 free   1 entry with relatives, not adopted yet   2 line of an entry   3 adopted
 *
 * Nothing ends by its timer meanwhile (Connections.tick), because it could be half adopted.
 */

import type { Connections } from '../connections.js';
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
  linesOf,
  NEXT,
  TIMEOUT,
} from '../entry.js';
import { PART_ROOM, PARTS, RadixParts } from './radix.js';
import { Soundness } from './sound.js';

const FREE = 0;
const ENTRY = 1;
const LINE = 2;
const ADOPTED = 3;

/** Data connection, control connection, template: no entry has more ancestors. */
const DEEPEST = 2;
/** Lines between two looks at what was spent. */
const RUN = 64;
/** Entries that are linked in the time in which the scan looks at one line. */
const LINKS = 4;

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
  private readonly parts: RadixParts;
  private phase: 'scan' | 'tie' | 'rest' | 'link' = 'scan';
  private at = 1;
  private hasRelatives = false;

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
    this.parts = new RadixParts(table.width, (entries, hashes, first, end) =>
      table.linkAll(entries, hashes, first, end),
    );
  }

  /** Does as much as looking at `budget` lines costs. Returns true when the rebuild is complete. */
  step(budget: number): boolean {
    for (let left = budget; left > 0; ) {
      const { flushes } = this.parts;
      left -= this.phase === 'link' ? this.link() : this.run(Math.min(this.end, this.at + Math.min(left, RUN) - 1));
      left -= ((this.parts.flushes - flushes) * PART_ROOM) / LINKS;
      if (this.at <= (this.phase === 'link' ? PARTS : this.end)) continue;
      if (this.phase === 'link') return true;
      this.next();
    }
    return false;
  }

  private next(): void {
    this.at = 1;
    if (this.phase === 'scan') this.phase = this.hasRelatives ? 'tie' : 'rest';
    else this.phase = this.phase === 'tie' ? 'rest' : 'link';
  }

  /** Looks at the lines up to `last`. Returns their number. */
  private run(last: number): number {
    const first = this.at;
    if (this.phase === 'scan') for (; this.at <= last; this.at++) this.check(this.at);
    else if (this.phase === 'tie') for (; this.at <= last; this.at++) this.tie(this.at);
    else for (; this.at <= last; this.at++) this.finish(this.at);
    return last - first + 1;
  }

  /** Links the entries of a part that was not full. Returns what it cost, in lines of the scan. */
  private link(): number {
    const linked = this.parts.flush(this.at - 1);
    this.at++;
    return 1 + linked / LINKS;
  }

  private check(entry: number): void {
    const at = entry << ENTRY_SHIFT;
    const { words } = this;
    if ((words[at + FLAGS]! & CONN_HASHED) === 0 || this.marks[entry] !== FREE) return;
    if (this.counted) this.connections.discount(entry);
    if (!this.soundness.isSound(entry) || !this.claim(at)) {
      words[at + FLAGS] = 0;
      this.lost++;
      return;
    }
    this.marks[entry] = ENTRY;
    // Its connection brings it.
    if ((words[at + FLAGS]! & CONN_REVERSE) !== 0) return;
    const hasRelatives = words[at + CONTROL] !== 0 || words[at + CONTROLLED] !== 0;
    words[at + CONTROLLED] = 0;
    const { now } = this.connections;
    if (((words[at + EXPIRES]! - now) | 0) > words[at + TIMEOUT]!)
      words[at + EXPIRES] = (now + words[at + TIMEOUT]!) | 0;
    if (hasRelatives) this.hasRelatives = true;
    else this.adopt(entry);
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

  /** After all entries were looked at: a line that none of them has is free. */
  private finish(entry: number): void {
    const mark = this.marks[entry];
    if (mark === FREE) this.connections.table.reclaim(entry);
    else if (mark === ENTRY && (this.words[(entry << ENTRY_SHIFT) + FLAGS]! & CONN_REVERSE) === 0) this.adopt(entry);
  }

  private adopt(entry: number): void {
    const { connections, words } = this;
    const at = entry << ENTRY_SHIFT;
    const flags = words[at + FLAGS]!;
    this.place(entry, connections.adopt(entry, linesOf(words, at)));
    this.kept++;
    if ((flags & CONN_FULLNAT) !== 0) this.place(words[at + DADDR]!, connections.table.adopt(words[at + DADDR]!, 1));
  }

  private place(entry: number, hash: number): void {
    this.marks[entry] = ADOPTED;
    this.parts.add(entry, hash, this.connections.table.bucketOf(hash));
  }
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(value, most));
}

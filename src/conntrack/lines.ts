/**
 * The lines of a table: in use, free again, or never used.
 *
 *     line   1 … highWater                 highWater + 1 … maxEntries
 *            in use, or in the free list   never used: no memory yet
 *
 *     freeHead ─► line ─► line ─► 0        by NEXT
 */
import {
  CONN_ENGINE_KEY,
  CONN_FULLNAT,
  CONN_IPV6,
  DADDR,
  ENTRY_SHIFT,
  ENTRY_WORDS,
  FLAGS,
  HIGH_WATER_WORD,
  KEY,
  LIVE_WORD,
  NEXT,
} from './entry.js';

export abstract class Lines {
  private freeHead = 0;

  constructor(
    readonly words: Int32Array,
    readonly maxEntries: number,
  ) {}

  /** Undoes `insert`; no effect on an entry that is not inserted. */
  abstract remove(entry: number): void;

  /** Number of lines in use: connections, templates and second lines. */
  get live(): number {
    return this.words[LIVE_WORD]!;
  }
  /** Highest entry ever used. */
  get highWater(): number {
    return this.words[HIGH_WATER_WORD]!;
  }
  get isFull(): boolean {
    return this.freeHead === 0 && this.words[HIGH_WATER_WORD]! >= this.maxEntries;
  }

  next(entry: number): number {
    return this.words[(entry << ENTRY_SHIFT) + NEXT]!;
  }

  /** A zeroed line; 0: the table is full. */
  alloc(): number {
    let entry = this.freeHead;
    if (entry !== 0) this.freeHead = this.words[(entry << ENTRY_SHIFT) + NEXT]!;
    else if (this.words[HIGH_WATER_WORD]! < this.maxEntries) entry = ++this.words[HIGH_WATER_WORD]!;
    else return 0;
    this.words[LIVE_WORD]!++;
    const at = entry << ENTRY_SHIFT;
    // A loop, because `fill` costs more than the sixteen stores.
    for (let i = at; i < at + ENTRY_WORDS; i++) this.words[i] = 0;
    return entry;
  }

  /** Frees a line that was removed or never inserted, and the lines that belong to it. */
  free(entry: number): void {
    const at = entry << ENTRY_SHIFT;
    const flags = this.words[at + FLAGS]!;
    if ((flags & CONN_ENGINE_KEY) !== 0) this.freeKey(this.words[at + KEY]!);
    const second = (flags & (CONN_IPV6 | CONN_FULLNAT)) !== 0 ? this.words[at + DADDR]! : 0;
    if ((flags & CONN_FULLNAT) !== 0) this.remove(second);
    this.release(entry);
    if (second !== 0) this.release(second);
  }

  private freeKey(first: number): void {
    for (let line = first; line !== 0; ) {
      const next = this.next(line);
      this.release(line);
      line = next;
    }
  }

  private release(line: number): void {
    this.reclaim(line);
    this.words[LIVE_WORD]!--;
  }

  /** Puts a line that nothing uses into the free list. */
  reclaim(line: number): void {
    const at = line << ENTRY_SHIFT;
    this.words[at + FLAGS] = 0;
    this.words[at + NEXT] = this.freeHead;
    this.freeHead = line;
  }

  /** From now on no line is in use and none is free; `reclaim` and the caller put them back. */
  protected forgetLines(): void {
    this.freeHead = 0;
    this.words[LIVE_WORD] = 0;
  }
}

/**
 * Timers of connections: three wheels; each slot is a chain of blocks with the numbers of its
 * entries.
 *
 *     wheel 0   | 10 ms x 16,384 = 164 s     |  <- the hand moves a slot a tick; its entries are due
 *     wheel 1   | 164 s x 512 = 23 h         |  <- each turn of the wheel before moves one slot down
 *     wheel 2   | 23 h x 512 = 497 days      |
 *
 *     slot ─► [ 7 3 12 · · ] ─► [ 5 9 1 … 4 ] ─► [ 8 2 6 … 11 ]      only the first block of a slot is not full
 *
 * A packet only writes EXPIRES: moving an entry between slots for each packet would touch three
 * cache lines. When its slot is due, an entry with a later EXPIRES is put further ahead. Only an
 * earlier EXPIRES (after a FIN or RST) relinks at once. `advance` looks at a bounded number of
 * entries, so that a million timers that end together cause no pause. Blocks, unlike a list
 * threaded through the entries, name the next entries before the current one is in the cache, so
 * that a dozen entries are prefetched together.
 */
import { ENTRY_SHIFT, EXPIRES, WHEEL_POS, WHEEL_TICK } from './entry.js';
import type { OwnIdle } from './timeouts.js';

const NEAR_BITS = 14;
const FAR_BITS = 9;
const NEAR = 1 << NEAR_BITS;
const FAR = 1 << FAR_BITS;
const SLOTS = NEAR + 2 * FAR;

/**
 * A block has 16 words: next block of the slot, slot, entries from FIRST on. Block 0 does not
 * exist.
 */
const BLOCK_SHIFT = 4;
const BLOCK = 1 << BLOCK_SHIFT;
const NEXT_BLOCK = 0;
const SLOT = 1;
const FIRST = 2;
const ROOM = BLOCK - FIRST;

/** Ends the entry and returns false, or sets a later EXPIRES and returns true. */
export type OnDue = (entry: number) => boolean;
/** Loads the entries `places[first]` to `places[end - 1]`, which are due next, into the cache. */
export type Prefetch = (places: Int32Array, first: number, end: number) => void;

/** The timers of one connection table. */
export class TimerWheel {
  /** By slot: the index in `blocks` after its last entry; 0: the slot is empty. */
  private readonly tops = new Int32Array(SLOTS);
  private readonly blocks: Int32Array;
  private freeBlock = 0;
  private usedBlocks = 0;
  /** The tick whose entries are handled next. */
  private hand: number;
  /** Set where a service has idle times of its own. */
  own: OwnIdle | undefined;
  /** Sets EXPIRES by packets that did not come here; set where somebody else forwards some. */
  refresh: ((entry: number) => void) | undefined;

  /** `words`: the connection table of `maxEntries` lines. `now`: in ticks. */
  constructor(
    private readonly words: Int32Array,
    maxEntries: number,
    now: number,
    private readonly onDue: OnDue,
    private readonly prefetch: Prefetch = () => {},
  ) {
    this.blocks = new Int32Array((Math.ceil(maxEntries / ROOM) + Math.min(SLOTS, maxEntries) + 1) << BLOCK_SHIFT);
    this.hand = now | 0;
  }

  /** Starts the timer of an entry that has none, to end at its EXPIRES. */
  start(entry: number): void {
    const at = entry << ENTRY_SHIFT;
    this.words[at + WHEEL_TICK] =
      this.own === undefined ? this.words[at + EXPIRES]! : this.own.lookAt(entry, this.hand);
    this.put(entry, at);
  }

  /** Stops the timer of an entry. The last entry of the slot takes its place. */
  stop(entry: number): void {
    const { blocks, words } = this;
    const place = words[(entry << ENTRY_SHIFT) + WHEEL_POS]!;
    const last = this.pop(blocks[(place & -BLOCK) + SLOT]!);
    if (last === entry) return;
    blocks[place] = last;
    words[(last << ENTRY_SHIFT) + WHEEL_POS] = place;
  }

  /** Call after EXPIRES was set to an earlier tick. A later EXPIRES needs no call. */
  moved(entry: number): void {
    const at = entry << ENTRY_SHIFT;
    if (((this.words[at + EXPIRES]! - this.words[at + WHEEL_TICK]!) | 0) >= 0) return;
    this.stop(entry);
    this.start(entry);
  }

  /** Ends entries due at tick `now`. Looks at `budget` entries at most and returns their number. */
  advance(now: number, budget: number): number {
    let left = budget;
    while (((now - this.hand) | 0) >= 0) {
      if ((this.hand & (NEAR - 1)) === 0) left = this.descend(left);
      left = this.drain(this.hand & (NEAR - 1), left, true);
      if (left <= 0) break;
      this.hand = (this.hand + 1) | 0;
    }
    return budget - left;
  }

  /**
   * After a turn of wheel 0: moves one slot of wheel 1 down, and after a turn of wheel 1 one of
   * wheel 2.
   */
  private descend(budget: number): number {
    let left = budget;
    const far = this.hand >>> NEAR_BITS;
    if ((far & (FAR - 1)) === 0) left = this.drain(NEAR + FAR + (far >>> FAR_BITS), left, false);
    return this.drain(NEAR + (far & (FAR - 1)), left, false);
  }

  /**
   * Empties a slot as far as `budget` allows; returns the budget left. `due`: the slot is of wheel
   * 0.
   */
  private drain(slot: number, budget: number, due: boolean): number {
    const { tops } = this;
    let left = budget;
    while (left > 0 && tops[slot] !== 0) {
      const top = tops[slot]!;
      const first = Math.max(((top - 1) & -BLOCK) | FIRST, top - left);
      if (due) this.prefetch(this.blocks, first, top);
      for (let i = first; i < top; i++, left--) this.handle(this.pop(slot), due);
    }
    return left;
  }

  private handle(entry: number, due: boolean): void {
    const at = entry << ENTRY_SHIFT;
    const { words } = this;
    if (!due) return this.put(entry, at);
    this.refresh?.(entry);
    this.own?.apply(entry);
    const ended = ((words[at + EXPIRES]! - this.hand) | 0) <= 0;
    if (ended && !this.onDue(entry)) return;
    // An entry kept without a later end is due at the next tick; else this slot would never be
    // empty.
    if (((words[at + EXPIRES]! - this.hand) | 0) <= 0) words[at + EXPIRES] = (this.hand + 1) | 0;
    this.start(entry);
  }

  private put(entry: number, at: number): void {
    const { tops } = this;
    const slot = this.slotFor(this.words[at + WHEEL_TICK]!);
    let top = tops[slot]!;
    if ((top & (BLOCK - 1)) === 0) top = this.addBlock(slot, top);
    this.blocks[top] = entry;
    this.words[at + WHEEL_POS] = top;
    tops[slot] = top + 1;
  }

  /** Removes the last entry of a slot and returns it. */
  private pop(slot: number): number {
    const { blocks, tops } = this;
    const place = tops[slot]! - 1;
    const entry = blocks[place]!;
    if ((place & (BLOCK - 1)) === FIRST) this.dropBlock(slot, place - FIRST);
    else tops[slot] = place;
    return entry;
  }

  /**
   * Adds a block to a slot. `top`: the end of its first block, which is full, or 0. Returns the
   * index of its first entry.
   */
  private addBlock(slot: number, top: number): number {
    const { blocks } = this;
    let block = this.freeBlock;
    if (block !== 0) this.freeBlock = blocks[block + NEXT_BLOCK]!;
    else block = ++this.usedBlocks << BLOCK_SHIFT;
    blocks[block + NEXT_BLOCK] = top;
    blocks[block + SLOT] = slot;
    return block + FIRST;
  }

  private dropBlock(slot: number, block: number): void {
    const { blocks } = this;
    this.tops[slot] = blocks[block + NEXT_BLOCK]!;
    blocks[block + NEXT_BLOCK] = this.freeBlock;
    this.freeBlock = block;
  }

  /** The slot for an entry that is due at tick `due`. */
  private slotFor(due: number): number {
    const far = due >>> NEAR_BITS;
    const ahead = (due - this.hand) | 0;
    if (ahead <= 0) return this.hand & (NEAR - 1);
    if (ahead < NEAR) return due & (NEAR - 1);
    if (ahead < NEAR << FAR_BITS) return NEAR + (far & (FAR - 1));
    return NEAR + FAR + (far >>> FAR_BITS);
  }
}

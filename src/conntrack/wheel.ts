/**
 * Timers of connections: four wheels of 256 slots, each slot a list threaded through the entries themselves.
 *
 *     wheel 0   | 10 ms x 256 = 2.56 s       |  <- the hand moves a slot a tick; its entries are due
 *     wheel 1   | 2.56 s x 256 = 11 min      |  <- each turn of the wheel before moves one slot down
 *     wheel 2   | 11 min x 256 = 46 h        |
 *     wheel 3   | 46 h x 256 = 497 days      |
 *
 * A packet only writes EXPIRES: moving an entry between lists for each packet would touch four cache lines. When its slot
 * comes, an entry whose EXPIRES has moved on is put further ahead. Only a time that moved back (a FIN, a RST) relinks.
 * `advance` looks at a bounded number of entries, so a million timers that end at once cost many short turns, no pause.
 */
import { DUE, ENTRY_SHIFT, EXPIRES, NEWER, OLDER } from './entry.js';

const SLOTS = 256;
const WHEELS = 4;

export class TimerWheel {
  private readonly heads = new Int32Array(WHEELS * SLOTS);
  /** The tick whose entries are looked at next. */
  private hand: number;

  /** `words` is the connection table; `onDue` ends the entry, or sets EXPIRES anew and returns true to keep it. */
  constructor(
    private readonly words: Int32Array,
    now: number,
    private readonly onDue: (entry: number) => boolean,
  ) {
    this.hand = now | 0;
  }

  /** Starts the timer of an entry that has none; EXPIRES is set. */
  start(entry: number): void {
    const at = entry << ENTRY_SHIFT;
    this.words[at + DUE] = this.words[at + EXPIRES]!;
    this.link(entry, at);
  }

  stop(entry: number): void {
    const { words } = this;
    const at = entry << ENTRY_SHIFT;
    const newer = words[at + NEWER]!;
    const older = words[at + OLDER]!;
    if (older !== 0) words[(older << ENTRY_SHIFT) + NEWER] = newer;
    // A negative link is the slot's head: −1 − slot.
    if (newer < 0) this.heads[-1 - newer] = older;
    else words[(newer << ENTRY_SHIFT) + OLDER] = older;
  }

  /** EXPIRES moved: only an earlier end needs the entry elsewhere. */
  moved(entry: number): void {
    const at = entry << ENTRY_SHIFT;
    if (((this.words[at + EXPIRES]! - this.words[at + DUE]!) | 0) >= 0) return;
    this.stop(entry);
    this.start(entry);
  }

  /** Ends what is due at `now`, looking at `budget` entries at most; returns how many it looked at. */
  advance(now: number, budget: number): number {
    let left = budget;
    while (((now - this.hand) | 0) >= 0) {
      for (let wheel = WHEELS - 1; wheel >= 1; wheel--) {
        if ((this.hand & ((1 << (8 * wheel)) - 1)) !== 0) continue;
        left = this.drain(wheel * SLOTS + ((this.hand >>> (8 * wheel)) & 255), left, false);
      }
      left = this.drain(this.hand & 255, left, true);
      if (left <= 0) break;
      this.hand = (this.hand + 1) | 0;
    }
    return budget - left;
  }

  private drain(slot: number, budget: number, due: boolean): number {
    while (budget > 0) {
      const entry = this.heads[slot]!;
      if (entry === 0) break;
      budget--;
      this.stop(entry);
      if (due) this.look(entry);
      else this.link(entry, entry << ENTRY_SHIFT);
    }
    return budget;
  }

  private look(entry: number): void {
    const at = entry << ENTRY_SHIFT;
    const ended = ((this.words[at + EXPIRES]! - this.hand) | 0) <= 0;
    if (ended && !this.onDue(entry)) return;
    // Kept past its time without a new one: at the next tick, or this slot would never be empty.
    if (((this.words[at + EXPIRES]! - this.hand) | 0) <= 0) this.words[at + EXPIRES] = (this.hand + 1) | 0;
    this.start(entry);
  }

  private link(entry: number, at: number): void {
    const slot = this.slotFor(this.words[at + DUE]!);
    const older = this.heads[slot]!;
    this.words[at + NEWER] = -1 - slot;
    this.words[at + OLDER] = older;
    if (older !== 0) this.words[(older << ENTRY_SHIFT) + NEWER] = entry;
    this.heads[slot] = entry;
  }

  private slotFor(due: number): number {
    const ahead = (due - this.hand) | 0;
    if (ahead <= 0) return this.hand & 255;
    for (let wheel = 0; wheel < WHEELS - 1; wheel++)
      if (ahead < 1 << (8 * (wheel + 1))) return wheel * SLOTS + ((due >>> (8 * wheel)) & 255);
    return (WHEELS - 1) * SLOTS + ((due >>> 24) & 255);
  }
}

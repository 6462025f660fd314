/**
 * The index of a flow table (device/flow/layout.ts): which line the packets with a hash have.
 *
 *     hash   [ tag 13 | – | number of the bucket ]
 *              │              └─► bucket [ slot | slot | … ]      one of its slots: tag 13 | line 19
 *              └──────────────────────────────────────────────────────────────────────┘
 *
 * A slot is one word, so a program sees it whole or not at all. Several workers share the buckets:
 * each clears only slots of its own lines.
 */
import { LINE_BITS, SLOTS } from '../../device/flow/layout.js';

const LINE = 2 ** LINE_BITS - 1;
const NONE = -1;

export class FlowSlots {
  /** By line: its slot; −1: none. */
  private readonly places: Int32Array;

  /** `words`: all slots; there are as many lines. */
  constructor(private readonly words: Int32Array) {
    this.places = new Int32Array(words.length).fill(NONE);
  }

  /** The first slot of the bucket of `hash`. */
  first(hash: number): number {
    return (hash * SLOTS) & (this.words.length - 1);
  }

  /** The slot with the tag of `hash` in its bucket, else a free one; −1: there is neither. */
  find(hash: number): number {
    const first = this.first(hash);
    let free = NONE;
    for (let slot = first; slot < first + SLOTS; slot++)
      if (this.words[slot] === 0) free = slot;
      // Packets would find the first of two lines with the same tag only.
      else if ((this.words[slot]! ^ hash) >>> LINE_BITS === 0) return slot;
    return free;
  }

  /** The line of a slot; 0: the slot is free. */
  lineAt(slot: number): number {
    return this.words[slot]! & LINE;
  }

  /** Makes a free slot that of `line`. False: another worker was faster. */
  take(slot: number, hash: number, line: number): boolean {
    if (Atomics.compareExchange(this.words, slot, 0, (hash & ~LINE) | line) !== 0) return false;
    this.places[line] = slot;
    return true;
  }

  /** Packets do not find the line any more. */
  clear(line: number): void {
    const slot = this.places[line]!;
    if (slot === NONE) return;
    Atomics.store(this.words, slot, 0);
    this.places[line] = NONE;
  }

  /** Goes on with the slots of a former thread or process. `isOwn`: of a line of this worker. */
  adopt(isOwn: (line: number) => boolean): void {
    for (let slot = 0; slot < this.words.length; slot++) {
      const line = this.lineAt(slot);
      if (line !== 0 && isOwn(line)) this.places[line] = slot;
    }
  }
}

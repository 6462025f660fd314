/**
 * The lines of a worker that no connection has. A connection gets one of the pair of its hash,
 * where packets look first. When both are in use, or belong to another worker, it gets one of the
 * last quarter of the table: those that were in use come first, oldest first, once they have
 * rested; then those that never were.
 *
 *     lines    – 1 | 2 3 | … 63 │ 64 65 | … 127 │ …      rest … │ rest + 64 … │ …      line 0 is none
 *              worker 0         │ worker 1      │ …    worker 0 │ worker 1    │ …
 *              pairs                                     fresh ─►
 *     rested   head ─► [ line | line | … ] ◄─ add       a ring of freed lines of the last quarter
 */
import { DEAL, LINE_SHIFT, pairOf, pairs, SEEN } from '../../device/flow/layout.js';

export class FreeLines {
  private readonly count: number;
  private readonly pairs: number;
  /** The first line that is not in a pair. */
  private readonly unpaired: number;
  private readonly ring: Int32Array;
  private head = 0;
  private waiting = 0;
  /** The first line outside the pairs that was never used. */
  private fresh: number;

  /**
   * `lines`: the words of all lines; `owners`: by line, 0 for none. `rest`: how long a freed line
   * stays unused, in units of SEEN.
   */
  constructor(
    private readonly lines: Int32Array,
    private readonly owners: Int32Array,
    private readonly rest: number,
    private readonly worker: number,
    private readonly workers: number,
  ) {
    this.count = lines.length >> LINE_SHIFT;
    this.pairs = pairs(this.count);
    this.unpaired = 2 * this.pairs;
    this.ring = new Int32Array(Math.min(this.count, Math.ceil((this.count - this.unpaired) / workers) + DEAL));
    this.fresh = this.unpaired;
    while (!this.isOwn(this.fresh)) this.fresh += DEAL;
  }

  /** The line belongs to this worker. */
  isOwn(line: number): boolean {
    return ((line / DEAL) >>> 0) % this.workers === this.worker;
  }

  /** A line for a hash; 0: there is none. `now` in units of SEEN. */
  take(hash: number, now: number): number {
    const first = 2 * pairOf(hash, this.pairs);
    if (this.isFree(first, now)) return first;
    if (this.isFree(first + 1, now)) return first + 1;
    return this.takeUnpaired(now);
  }

  private isFree(line: number, now: number): boolean {
    return line !== 0 && this.owners[line] === 0 && this.isOwn(line) && this.hasRested(line, now);
  }

  private hasRested(line: number, now: number): boolean {
    const seen = this.lines[(line << LINE_SHIFT) + SEEN]!;
    return seen === 0 || ((now - seen) | 0) > this.rest;
  }

  private takeUnpaired(now: number): number {
    if (this.waiting > 0 && this.hasRested(this.ring[this.head]!, now)) {
      const line = this.ring[this.head]!;
      this.head = (this.head + 1) % this.ring.length;
      this.waiting--;
      return line;
    }
    if (this.fresh >= this.count) return 0;
    const line = this.fresh;
    this.fresh = this.after(line);
    return line;
  }

  /** A line is used no more; SEEN says since when. */
  add(line: number): void {
    if (line < this.unpaired) return;
    this.ring[(this.head + this.waiting) % this.ring.length] = line;
    this.waiting++;
  }

  /**
   * Goes on with the lines of a former thread or process. Calls `each` with those that were ever
   * used; those for which it returns false are free.
   */
  adopt(each: (line: number) => boolean): void {
    for (let line = 1; line < this.unpaired; line++) if (this.isOwn(line) && this.wasUsed(line)) each(line);
    const first = this.fresh;
    for (let line = first; line < this.count; line = this.after(line))
      if (this.wasUsed(line)) this.fresh = this.after(line);
    for (let line = first; line < this.fresh; line = this.after(line)) if (!each(line)) this.add(line);
  }

  private wasUsed(line: number): boolean {
    return this.lines[(line << LINE_SHIFT) + SEEN] !== 0;
  }

  /** The next line of this worker. */
  private after(line: number): number {
    return (line + 1) % DEAL === 0 ? line + 1 + DEAL * (this.workers - 1) : line + 1;
  }
}

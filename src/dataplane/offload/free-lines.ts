/**
 * The lines of a worker that no connection has. Those that were in use come first, oldest first,
 * once they have rested; then those that never were. So the lines in use lie close together.
 *
 *     lines    – 1 2 … 63 │ 64 … 127 │ 128 … 191 │ …        line 0 is none
 *              worker 0   │ worker 1 │ worker 0  │ …
 *                  fresh ─►
 *     rested   head ─► [ line | line | … ] ◄─ add           a ring of freed lines
 */
import { DEAL, LINE_SHIFT, SEEN } from '../../device/flow/layout.js';

export class FreeLines {
  private readonly count: number;
  private readonly ring: Int32Array;
  private head = 0;
  private waiting = 0;
  /** The first line that was never used. */
  private fresh: number;

  /**
   * `lines`: the words of all lines. `rest`: how long a freed line stays unused, in units of SEEN.
   */
  constructor(
    private readonly lines: Int32Array,
    private readonly rest: number,
    private readonly worker: number,
    private readonly workers: number,
  ) {
    this.count = lines.length >> LINE_SHIFT;
    this.ring = new Int32Array(Math.min(this.count, Math.ceil(this.count / workers) + DEAL));
    this.fresh = worker === 0 ? 1 : worker * DEAL;
  }

  /** The line belongs to this worker. */
  isOwn(line: number): boolean {
    return ((line / DEAL) >>> 0) % this.workers === this.worker;
  }

  /** A line; 0: there is none. `now` in units of SEEN. */
  take(now: number): number {
    if (this.waiting > 0 && ((now - this.lines[(this.ring[this.head]! << LINE_SHIFT) + SEEN]!) | 0) > this.rest) {
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
    this.ring[(this.head + this.waiting) % this.ring.length] = line;
    this.waiting++;
  }

  /**
   * Goes on with the lines of a former thread or process. Calls `each` with those that were ever
   * used; those for which it returns false are free.
   */
  adopt(each: (line: number) => boolean): void {
    const first = this.fresh;
    for (let line = first; line < this.count; line = this.after(line))
      if (this.lines[(line << LINE_SHIFT) + SEEN] !== 0) this.fresh = this.after(line);
    for (let line = first; line < this.fresh; line = this.after(line)) if (!each(line)) this.add(line);
  }

  /** The next line of this worker. */
  private after(line: number): number {
    return (line + 1) % DEAL === 0 ? line + 1 + DEAL * (this.workers - 1) : line + 1;
  }
}

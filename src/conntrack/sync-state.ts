/**
 * What synchronisation remembers of each connection: four words beside its line, from the first
 * start of a daemon on. Before that there is none of this memory.
 *
 *      0 END     tick at which its timer ended when it was sent last; the two low bits count retries
 *      1 OLD     its state when it was sent last
 *      2 MARK    the fwmark of the packet that opened it
 *      3 SENT    of a template: packets of its connections
 */
export const SYNC_SHIFT = 2;
export const END = 0;
export const OLD = 1;
export const MARK = 2;
export const SENT = 3;

/** The words of one connection table. */
export class SyncState {
  readonly words: Int32Array;

  constructor(maxEntries: number) {
    this.words = new Int32Array((maxEntries + 1) << SYNC_SHIFT);
  }

  /** For a new connection; `now` in ticks. */
  reset(entry: number, now: number): void {
    const at = entry << SYNC_SHIFT;
    this.words[at + END] = now & ~3;
    this.words[at + OLD] = 0;
    this.words[at + MARK] = 0;
    this.words[at + SENT] = 0;
  }

  setMark(entry: number, mark: number): void {
    this.words[(entry << SYNC_SHIFT) + MARK] = mark;
  }
}

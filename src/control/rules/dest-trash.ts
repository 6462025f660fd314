/**
 * Removed destinations whose slots connections still name (the kernel's ipvs->dest_trash).
 *
 *   removed ──────────> referenced ──(scan: no refs)──> idle since t ──(scan at t + 120 s, no refs)──> gone, slot free
 *      ^                    │  ^─────────────(scan: refs)─────┘
 *      └────── removed ─────┴──(the same destination is added)──> live again, same slot
 *
 * A scan runs every 60 s, counted from the removal that made the trash non-empty.
 */
/** A removed destination. */
export interface Trashed {
  readonly slot: number;
  readonly serviceSlot: number;
  /** Time of the first scan without references, ms. */
  idleSince: number | undefined;
}

/** Period of scans (IP_VS_DEST_TRASH_PERIOD / 2). */
export const SCAN_MS = 60_000;
/** Time without references after which a slot is freed (IP_VS_DEST_TRASH_PERIOD). */
export const IDLE_MS = 120_000;

/** The trash. `identity`: service and destination as text. */
export class DestTrash {
  private readonly entries = new Map<string, Trashed>();
  private nextScan: number | undefined;

  get isEmpty(): boolean {
    return this.entries.size === 0;
  }

  /** Adds a removed destination. */
  put(identity: string, slot: number, serviceSlot: number): void {
    this.entries.set(identity, { slot, serviceSlot, idleSince: undefined });
  }

  /**
   * Removes a destination from the trash and returns it, for its revival; undefined: it is not
   * there.
   */
  takeOut(identity: string): Trashed | undefined {
    const found = this.entries.get(identity);
    this.entries.delete(identity);
    return found;
  }

  /**
   * Scans when due. Removes and returns destinations without references; the caller releases their
   * slots. `now` in ms.
   */
  tick(now: number, refs: (slot: number) => number): Trashed[] {
    if (this.entries.size === 0) this.nextScan = undefined;
    else this.nextScan ??= now + SCAN_MS;
    if (this.nextScan === undefined || now < this.nextScan) return [];
    this.nextScan = now + SCAN_MS;
    return [...this.entries].filter(([, entry]) => this.isOver(entry, now, refs)).map((pair) => this.drop(pair));
  }

  private isOver(entry: Trashed, now: number, refs: (slot: number) => number): boolean {
    if (refs(entry.slot) > 0) {
      entry.idleSince = undefined;
      return false;
    }
    entry.idleSince ??= now;
    return now - entry.idleSince >= IDLE_MS;
  }

  private drop([identity, entry]: [string, Trashed]): Trashed {
    this.entries.delete(identity);
    return entry;
  }
}

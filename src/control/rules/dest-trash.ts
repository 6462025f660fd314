/**
 * Removed destinations, kept because connections still name their slots (kernel: ipvs->dest_trash).
 *
 *   removed ──────────> referenced ──(scan: no refs)──> idle since t ──(scan at t + 120 s, no refs)──> gone, slot free
 *      ^                    │  ^─────────────(scan: refs)─────┘
 *      └────── removed ─────┴──(the same destination is added)──> live again, same slot
 *
 * The scan runs every 60 s, counted from the removal that made the trash non-empty.
 */
export interface Trashed {
  readonly slot: number;
  readonly serviceSlot: number;
  idleSince: number | undefined;
}

export const SCAN_MS = 60_000;
export const IDLE_MS = 120_000;

export class DestTrash {
  private readonly entries = new Map<string, Trashed>();
  private nextScan: number | undefined;

  put(identity: string, slot: number, serviceSlot: number): void {
    this.entries.set(identity, { slot, serviceSlot, idleSince: undefined });
  }

  takeBack(identity: string): Trashed | undefined {
    const found = this.entries.get(identity);
    this.entries.delete(identity);
    return found;
  }

  /** Scans when a scan is due; what it returns is gone and its slots are the caller's to release. */
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

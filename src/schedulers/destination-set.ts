import { type Destination, eligible, overhead } from '../service/service.js';

/** lblcr's destinations of one address, the one that came last first (ip_vs_lblcr.c, ip_vs_dest_set). */
export class DestinationSet {
  /** In the order of coming: read from the end. */
  private readonly members: Destination[] = [];
  /** ms */
  private modified = 0;

  get size(): number {
    return this.members.length;
  }

  clear(): void {
    this.members.length = 0;
  }

  insert(dest: Destination, now: number): void {
    if (this.members.includes(dest)) return;
    this.members.push(dest);
    this.modified = now;
  }

  /** Something that nobody added to for longer than `expiry` ms shrinks: its most loaded member leaves. */
  shrink(now: number, expiry: number): void {
    if (this.size <= 1 || now <= this.modified + expiry) return;
    const most = this.mostLoaded();
    if (most === null) return;
    this.members.splice(this.members.indexOf(most), 1);
    this.modified = now;
  }

  /** The member with the least overhead per weight among those that may take a connection. */
  leastLoaded(): Destination | null {
    let least: Destination | null = null;
    for (let i = this.size - 1; i >= 0; i--) {
      const dest = this.members[i]!;
      if (!dest.available || !eligible(dest)) continue;
      if (least === null || overhead(least) * dest.weight > overhead(dest) * least.weight) least = dest;
    }
    return least;
  }

  /** Gone and overloaded ones too, but no quiesced ones. */
  private mostLoaded(): Destination | null {
    let most: Destination | null = null;
    for (let i = this.size - 1; i >= 0; i--) {
      const dest = this.members[i]!;
      if (dest.weight <= 0) continue;
      if (most === null || overhead(most) * dest.weight < overhead(dest) * most.weight) most = dest;
    }
    return most;
  }
}

/** The destinations that lblcr has for one destination address (ip_vs_lblcr.c, ip_vs_dest_set). */
import { type Destination, eligible, overhead } from '../service/service.js';

/** A set, read from its newest member to its oldest. */
export class DestinationSet {
  /** Oldest first. */
  private readonly members: Destination[] = [];
  /** Time of the last change, ms. */
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

  /** Removes the most loaded member when the set did not change for more than `expiry` ms. */
  shrink(now: number, expiry: number): void {
    if (this.size <= 1 || now <= this.modified + expiry) return;
    const most = this.mostLoaded();
    if (most === null) return;
    this.members.splice(this.members.indexOf(most), 1);
    this.modified = now;
  }

  /** The eligible member with the least overhead per weight; null: none. */
  leastLoaded(): Destination | null {
    let least: Destination | null = null;
    for (let i = this.size - 1; i >= 0; i--) {
      const dest = this.members[i]!;
      if (!dest.available || !eligible(dest)) continue;
      if (least === null || overhead(least) * dest.weight > overhead(dest) * least.weight) least = dest;
    }
    return least;
  }

  /** Removed and overloaded members count too, quiesced ones do not. */
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

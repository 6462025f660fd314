/**
 * Counts of entries by virtual address, in a small table indexed by a hash of the address. The
 * destination of a reply is a client and hardly ever a virtual address too. A count of 0 saves the
 * look-up of a reply as a packet from a client.
 *
 *     [ 0 | 0 | 3 | 0 | … ]     4096 counts; 0: no entry has the address
 */
const BITS = 12;

/** Counts by virtual address. */
export class VipCounts {
  private readonly counts = new Int32Array(1 << BITS);

  add(address: number): void {
    this.counts[placeOf(address)]!++;
  }
  remove(address: number): void {
    this.counts[placeOf(address)]!--;
  }
  /** False: no entry has this virtual address. For IPv6 `address` is the fold. */
  mayHave(address: number): boolean {
    return this.counts[placeOf(address)] !== 0;
  }
}

function placeOf(address: number): number {
  return Math.imul(address, 0x9e3779b1) >>> (32 - BITS);
}

/**
 * Which virtual addresses have connections, by a few bits of them: how many lines there are for each. A reply's destination is
 * a client, hardly ever also a virtual address; then it need not be looked for as a client's packet first.
 *
 *     [ 0 | 0 | 3 | 0 | … ]     4096 counts; 0: surely none
 */
const BITS = 12;

export class VipCounts {
  private readonly counts = new Int32Array(1 << BITS);

  add(address: number): void {
    this.counts[placeOf(address)]!++;
  }
  remove(address: number): void {
    this.counts[placeOf(address)]!--;
  }
  /** False: no line has this virtual address (of IPv6: this fold). */
  mayHave(address: number): boolean {
    return this.counts[placeOf(address)] !== 0;
  }
}

function placeOf(address: number): number {
  return Math.imul(address, 0x9e3779b1) >>> (32 - BITS);
}

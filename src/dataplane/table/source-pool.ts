/**
 * Source addresses and ports of full NAT: pairs are given in turn, so that a free one is nearly always the next.
 */

/** Ports that may be borrowed: none that a server on a pool address might have. */
const FIRST_PORT = 1024;
const PORTS_EACH = 65536 - FIRST_PORT;

export class SourcePool {
  /** IPv4 addresses; none: full NAT is not to be had. */
  sources: Int32Array = new Int32Array(0);
  /** Tell destinations the client's address. */
  toa = true;
  private turn = 0;
  private first = FIRST_PORT;
  private step = 1;
  private each = PORTS_EACH;

  /** Of several workers this one has the ports whose remainder by their number is its own: so it gets the replies. */
  share(worker: number, workers: number): void {
    this.first = FIRST_PORT + ((worker - (FIRST_PORT % workers) + workers) % workers);
    this.step = workers;
    this.each = Math.floor((65536 - this.first) / workers);
  }

  /** The next pair to try: the address, and by `port` the port. */
  next(): number {
    this.turn = (this.turn + 1) % (this.sources.length * this.each);
    return this.sources[Math.floor(this.turn / this.each)]!;
  }
  get port(): number {
    return this.first + (this.turn % this.each) * this.step;
  }

  has(address: number): boolean {
    for (let i = 0; i < this.sources.length; i++) if (this.sources[i] === address) return true;
    return false;
  }
}

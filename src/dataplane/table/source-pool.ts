/**
 * Source addresses and ports of full NAT. Pairs are used in turn, so that the next one is nearly
 * always free.
 */

/** First port of the pool: no server on a pool address uses the ports from here on. */
const FIRST_PORT = 1024;
const PORTS_EACH = 65536 - FIRST_PORT;

export class SourcePool {
  /** IPv4 addresses. Empty: full NAT is not available. */
  sources: Int32Array = new Int32Array(0);
  /** Adds the TOA option, which tells destinations the client's address. */
  toa = true;
  private turn = 0;
  private first = FIRST_PORT;
  private step = 1;
  private each = PORTS_EACH;

  /**
   * With several workers, each one uses the ports whose remainder modulo `workers` is its own. So
   * the replies arrive at the right worker.
   */
  share(worker: number, workers: number): void {
    this.first = FIRST_PORT + ((worker - (FIRST_PORT % workers) + workers) % workers);
    this.step = workers;
    this.each = Math.floor((65536 - this.first) / workers);
  }

  /** Moves on to the next pair. Returns its address; `port` is its port. */
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

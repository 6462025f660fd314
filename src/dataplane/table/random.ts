/**
 * The director's randomness: a generator with a seed, so that the same frames at the same times
 * give the same answers (xorshift32, Marsaglia 2003). Not for secrets: whoever owns the director
 * brings those from outside.
 */
export class Random {
  private readonly state = new Int32Array(1);

  /** `seed`: any 32-bit number but 0, which counts as 1. */
  constructor(seed: number) {
    this.state[0] = seed | 0 || 1;
  }

  /** The next number, an int32, never 0. */
  next(): number {
    let x = this.state[0]!;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state[0] = x;
    return x;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(((this.next() >>> 0) / 0x1_0000_0000) * limit);
  }
}

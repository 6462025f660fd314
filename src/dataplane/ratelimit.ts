/**
 * The kernel's limit on ICMP errors: one a second to each peer, six at once after silence (icmp_ratelimit, XRLIM_BURST).
 * Peers share a fixed number of buckets by hash; a stranger in the bucket costs a token, never memory.
 */
const BUCKETS = 1024;
const BURST = 6;
const EVERY = 1000;

export class TokenBuckets {
  /** Tokens in ms, and the time of the last look, in ms. */
  private readonly tokens = new Float64Array(BUCKETS).fill(BURST * EVERY);
  private readonly seen = new Float64Array(BUCKETS);

  take(peer: number, now: number): boolean {
    const i = Math.imul(peer, 0x9e3779b1) >>> 22;
    const filled = Math.min(this.tokens[i]! + Math.max(0, now - this.seen[i]!), BURST * EVERY);
    this.seen[i] = now;
    this.tokens[i] = filled >= EVERY ? filled - EVERY : filled;
    return filled >= EVERY;
  }
}

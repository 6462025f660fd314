/**
 * The kernel's limit on ICMP errors: one a second to each peer, six at once after silence (icmp_ratelimit, XRLIM_BURST).
 * Peers share a fixed number of buckets by hash; a stranger in the bucket costs a token, never memory.
 */
const BUCKETS = 1024;
const BURST = 6;
/** A second, in ms, of the kernel's 250 jiffies. */
const EVERY = 1000;
const JIFFY = 4;
const JIFFIES = EVERY / JIFFY;

export class TokenBuckets {
  /** Tokens in ms, and the time of the last look, in ms. */
  private readonly tokens = new Float64Array(BUCKETS).fill(BURST * EVERY);
  private readonly seen = new Float64Array(BUCKETS);

  /** Of IPv6, whose errors come the faster the wider the route to the peer: four a second on a /64. `length`: the route's. */
  take6(peer: number, now: number, length: number): boolean {
    return this.take(peer, now, JIFFY * (JIFFIES >> ((128 - length) >> 5)));
  }

  /** `every`: ms that a token takes. */
  take(peer: number, now: number, every = EVERY): boolean {
    const i = Math.imul(peer, 0x9e3779b1) >>> 22;
    const filled = Math.min(this.tokens[i]! + Math.max(0, now - this.seen[i]!), BURST * every);
    this.seen[i] = now;
    this.tokens[i] = filled >= every ? filled - every : filled;
    return filled >= every;
  }
}

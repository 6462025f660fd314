/**
 * The kernel's limit on ICMP errors: one a second to each peer, six at once after silence (icmp_ratelimit, XRLIM_BURST),
 * counted in its ticks of 4 ms. Peers share a fixed number of buckets by hash; a stranger in the bucket costs a token,
 * never memory.
 */
const BUCKETS = 1024;
const BURST = 6;
const TICK = 4;
const SECOND = 1000 / TICK;

export class TokenBuckets {
  /** Tokens in ticks, and the tick of the last look. */
  private readonly tokens = new Float64Array(BUCKETS).fill(BURST * SECOND);
  private readonly seen = new Float64Array(BUCKETS);

  /** Of IPv6, whose errors come the faster the wider the route to the peer: four a second on a /64. `length`: the route's. */
  take6(peer: number, now: number, length: number): boolean {
    return this.take(peer, now, SECOND >> ((128 - length) >> 5));
  }

  /** `now` in ms; `every`: ticks that a token takes. */
  take(peer: number, now: number, every = SECOND): boolean {
    const i = Math.imul(peer, 0x9e3779b1) >>> 22;
    const tick = Math.floor(now / TICK);
    const filled = Math.min(this.tokens[i]! + Math.max(0, tick - this.seen[i]!), BURST * every);
    this.seen[i] = tick;
    this.tokens[i] = filled >= every ? filled - every : filled;
    return filled >= every;
  }
}

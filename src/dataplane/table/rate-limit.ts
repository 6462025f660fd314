/**
 * The kernel's rate limit of ICMP errors: one a second to each peer, a burst of six
 * (icmp_ratelimit, XRLIM_BURST), counted in the kernel's ticks of 4 ms. Peers share a fixed number
 * of buckets by hash: a collision costs a token, never memory.
 */
const BUCKETS = 1024;
const BURST = 6;
const TICK = 4;
const SECOND = 1000 / TICK;

export class TokenBuckets {
  /** Tokens, in ticks, and the tick of the last use. */
  private readonly tokens = new Float64Array(BUCKETS).fill(BURST * SECOND);
  private readonly seen = new Float64Array(BUCKETS);

  /**
   * Takes a token for an ICMPv6 error. The longer the route's prefix (`length`), the lower the
   * rate: four a second on a /64 (the kernel's icmpv6 xrlim).
   */
  take6(peer: number, now: number, length: number): boolean {
    return this.take(peer, now, SECOND >> ((128 - length) >> 5));
  }

  /** Takes a token. `now` in ms; `every`: ticks per token. Returns false when there is none. */
  take(peer: number, now: number, every = SECOND): boolean {
    const i = Math.imul(peer, 0x9e3779b1) >>> 22;
    const tick = Math.floor(now / TICK);
    const filled = Math.min(this.tokens[i]! + Math.max(0, tick - this.seen[i]!), BURST * every);
    this.seen[i] = tick;
    this.tokens[i] = filled >= every ? filled - every : filled;
    return filled >= every;
  }
}

import type { Destination } from '../service/destination.js';
import type { Schedule, Scheduler } from '../service/scheduler.js';
import type { VirtualService } from '../service/service.js';

/**
 * Weighted round robin as in ip_vs_wrr.c: turns over the list with a falling weight limit.
 *
 *     limit = max … down by gcd … 1, then max again       a turn takes every destination of weight >= limit
 *
 * After any change of destinations the cursor goes back to the head and the limit is kept where it still fits: that is
 * why the first choices after start-up depend on the order in which destinations came.
 */
class WeightedRoundRobin implements Schedule {
  private at = -1;
  private limit = 0;
  private max = 0;
  private step = 1;

  constructor(private readonly service: VirtualService) {
    this.destUpdated();
  }

  schedule(): Destination | null {
    if (this.max === 0) return null;
    const dests = this.service.destinations;
    // One look at every destination at each limit, and the rest of the current turn, finds one or there is none.
    for (let turns = Math.ceil(this.max / this.step) + 1; turns >= 0; turns--) {
      while (++this.at < dests.length) {
        const dest = dests[this.at]!;
        if (dest.weight >= this.limit && !dest.overloaded && dest.weight > 0) return dest;
      }
      this.nextTurn();
    }
    return null;
  }

  destAdded(): void {
    this.destUpdated();
  }
  destRemoved(): void {
    this.destUpdated();
  }
  destUpdated(): void {
    const weights = this.service.destinations.map((dest) => dest.weight).filter((weight) => weight > 0);
    this.step = weights.reduce(gcd, 0) || 1;
    this.max = Math.max(0, Math.max(0, ...weights) - (this.step - 1));
    this.at = -1;
    if (this.limit > this.max || this.limit === 0) this.limit = this.max;
    else if (this.step > 1) this.limit = Math.floor(this.limit / this.step) * this.step + 1;
  }

  private nextTurn(): void {
    this.at = -1;
    this.limit -= this.step;
    if (this.limit <= 0) this.limit = this.max;
  }
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

export const wrr: Scheduler = { name: 'wrr', bind: (service) => new WeightedRoundRobin(service) };

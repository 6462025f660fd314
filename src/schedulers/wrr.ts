/**
 * Weighted round robin (ip_vs_wrr.c): turns over the list with a falling weight limit.
 *
 *     limit = max … down by step … 1, then max again      a turn takes every destination of weight >= limit
 *     max = highest weight − (step − 1), step = gcd of the weights
 *
 * After a change of destinations the cursor returns to the head, and the limit is kept where it
 * still fits. The first choices after a start therefore depend on the order in which destinations
 * were added.
 */
import { type Destination, eligible, type Schedule, type Scheduler, type VirtualService } from '../service/service.js';

class WeightedRoundRobin implements Schedule {
  /** Index of the last choice; −1: before the head. */
  private at = -1;
  private limit = 0;
  private max = 0;
  private step = 1;

  constructor(private readonly service: VirtualService) {
    this.destUpdated();
  }

  schedule(): Destination | null {
    if (this.max === 0) return null;
    const { at, limit } = this;
    const found = this.restOfTurn();
    if (found !== null) return found;
    const best = this.heaviestWeight();
    if (best === 0) return this.fail(at, limit);
    this.nextTurn();
    // Skips the turns in which no destination is heavy enough: there may be 2^31 of them.
    if (this.limit > best) this.limit -= Math.ceil((this.limit - best) / this.step) * this.step;
    return this.restOfTurn();
  }

  destAdded(): void {
    this.destUpdated();
  }
  destRemoved(): void {
    this.destUpdated();
  }
  destUpdated(): void {
    const weights = this.service.destinations.map((dest) => dest.weight);
    this.step = weights.reduce(gcd, 0) || 1;
    this.max = Math.max(0, weights.reduce((a, b) => Math.max(a, b), 0) - (this.step - 1));
    this.at = -1;
    if (this.limit > this.max || this.limit === 0) this.limit = this.max;
    else if (this.step > 1) this.limit = Math.floor(this.limit / this.step) * this.step + 1;
  }

  private restOfTurn(): Destination | null {
    const dests = this.service.destinations;
    while (++this.at < dests.length) {
      const dest = dests[this.at]!;
      if (dest.weight >= this.limit && !dest.overloaded) return dest;
    }
    return null;
  }

  private nextTurn(): void {
    this.at = -1;
    this.limit -= this.step;
    if (this.limit <= 0) this.limit = this.max;
  }

  private heaviestWeight(): number {
    let best = 0;
    for (const dest of this.service.destinations) if (eligible(dest) && dest.weight > best) best = dest.weight;
    return best;
  }

  /**
   * All destinations are overloaded. The kernel keeps its position when it began in the last turn;
   * otherwise it starts again before the first turn.
   */
  private fail(at: number, limit: number): null {
    const stays = at >= 0 && limit <= this.step;
    this.at = stays ? at : -1;
    this.limit = stays ? 1 : this.max;
    return null;
  }
}

/** Greatest common divisor; gcd(n, 0) = n. */
export function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

export const wrr: Scheduler = {
  name: 'wrr',
  chooses: 'the next whose weight reaches the limit of this turn',
  remembers: true,
  bind: (service) => new WeightedRoundRobin(service),
};

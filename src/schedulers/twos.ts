/**
 * Power of two random choices (ip_vs_twos.c): two destinations are drawn by weight. The one with
 * less overhead per weight is chosen.
 *
 *     draws from 0 … W, both included, W = sum of the eligible weights; a destination
 *     is drawn when the weights up to it reach the draw: the newest, at the head, has one chance
 *     more than its weight
 *
 * The generator is not the kernel's and has a fixed seed: the same arrivals replay the same.
 */
import {
  type Destination,
  eligible,
  overhead,
  type Schedule,
  type Scheduler,
  type VirtualService,
} from '../service/service.js';

class TwoChoices implements Schedule {
  private state = 0x9e3779b9;

  constructor(private readonly service: VirtualService) {}

  schedule(): Destination | null {
    const total = this.totalWeight();
    if (total === 0) return null;
    const first = this.drawn(this.draw(total + 1))!;
    const second = this.drawn(this.draw(total + 1))!;
    return second.weight * overhead(first) > first.weight * overhead(second) ? second : first;
  }

  private totalWeight(): number {
    let total = 0;
    for (const dest of this.service.destinations) if (eligible(dest)) total += dest.weight;
    return total;
  }

  private drawn(draw: number): Destination | null {
    let left = draw;
    for (const dest of this.service.destinations) {
      if (!eligible(dest)) continue;
      left -= dest.weight;
      if (left <= 0) return dest;
    }
    return null;
  }

  /** Uniform in 0 … bound − 1 (xorshift32: Marsaglia, Journal of Statistical Software 8/14). */
  private draw(bound: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return Math.floor(((x >>> 0) / 2 ** 32) * bound);
  }
}

export const twos: Scheduler = {
  name: 'twos',
  chooses: 'the less loaded of two drawn at random by weight',
  bind: (service) => new TwoChoices(service),
};

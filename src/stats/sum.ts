/**
 * What several workers have counted, as one director's counters. The gauges are shared by all of them anyway.
 *
 *     worker 0 ┐
 *     worker 1 ┼─ gather ─► one row of sums, for listings, rates and metrics
 *     worker 2 ┘
 */
import { Counters } from './counters.js';

export class CounterSum {
  readonly counters: Counters;
  /** One buffer a worker. */
  readonly buffers: readonly SharedArrayBuffer[];
  private readonly parts: readonly Float64Array[];

  constructor(workers: number) {
    this.buffers = Array.from({ length: workers }, () => Counters.memory());
    const [first] = this.buffers;
    this.counters = workers === 1 ? new Counters(first) : new Counters(Counters.memory(), first);
    this.parts = workers === 1 ? [] : this.buffers.map((buffer) => new Counters(buffer).values);
  }

  /** Brings `counters` up to date: half a millisecond for two workers. */
  gather(): void {
    const { values } = this.counters;
    for (const [i, part] of this.parts.entries())
      if (i === 0) values.set(part);
      else for (let j = 0; j < values.length; j++) values[j]! += part[j]!;
  }
}

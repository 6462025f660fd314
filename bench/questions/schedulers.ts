/**
 * What does a decision cost? Each scheduler runs with 10, 100 and 1000 destinations of weights 1 to
 * 10. The reference is rr with the same destinations. The figure includes work that is the same for
 * all schedulers: a new client and one of 4096 destination addresses for each decision, one
 * connection that begins at the chosen destination, and one connection that ends. Each destination
 * has four live connections on average.
 *
 *     node build/bench/questions/schedulers.js [--quick]
 */

import { median } from '../../src/lab/median.js';
import { SCHEDULER_NAMES, schedulerNamed } from '../../src/schedulers/index.js';
import { Destination, VirtualService } from '../../src/service/service.js';
import { Counters, Gauge } from '../../src/stats/counters.js';
import { orQuick } from '../support/options.js';
import { type Row, report } from '../support/result.js';

const ROUNDS = orQuick(5, 1);
const ROUND_MS = orQuick(60, 20);
const SIZES = [10, 100, 1000];
const BATCH = 256;
const ADDRESSES = 4096;

class Subject {
  private readonly service = new VirtualService(1);
  private readonly arrival = {
    family: 4,
    protocol: 6,
    src: 0,
    dst: 0,
    src6: new Int32Array(4),
    dst6: new Int32Array(4),
    sport: 1024,
    dport: 80,
  };
  private readonly alive: (Destination | null)[];
  private turn = 0;

  constructor(scheduler: string, size: number, counters: Counters) {
    this.service.schedule = schedulerNamed(scheduler)!.bind(this.service);
    this.alive = new Array(size * 4).fill(null);
    for (let i = 0; i < size; i++) {
      const dest = new Destination(i + 1, this.service, counters);
      dest.address = 0x0a000000 + i;
      dest.weight = 1 + (i % 10);
      dest.lastWeight = dest.weight;
      this.service.add(dest);
    }
  }

  /** Makes decisions for `ms` milliseconds. Returns the ns of one decision. */
  run(ms: number): number {
    const start = performance.now();
    let decisions = 0;
    let passed = 0;
    while (passed < ms) {
      for (let i = 0; i < BATCH; i++) this.decide();
      decisions += BATCH;
      passed = performance.now() - start;
    }
    return (passed * 1e6) / decisions;
  }

  private decide(): void {
    const turn = ++this.turn;
    this.arrival.src = Math.imul(turn, 0x9e3779b1);
    this.arrival.dst = (Math.imul(turn, 0x85ebca77) >>> 8) % ADDRESSES;
    this.replace(turn % this.alive.length, this.service.schedule.schedule(this.arrival, turn));
  }

  private replace(i: number, dest: Destination | null): void {
    this.alive[i]?.add(Gauge.active, -1);
    dest?.add(Gauge.active, 1);
    this.alive[i] = dest;
  }
}

/** Measures a scheduler in turns with rr, so that other load on the machine disturbs both alike. */
function measure(scheduler: string, size: number): Row {
  const subject = new Subject(scheduler, size, new Counters());
  const reference = new Subject('rr', size, new Counters());
  const ours: number[] = [];
  const rr: number[] = [];
  subject.run(ROUND_MS);
  reference.run(ROUND_MS);
  for (let round = 0; round < ROUNDS; round++) {
    rr.push(reference.run(ROUND_MS));
    ours.push(subject.run(ROUND_MS));
  }
  return { case: `${scheduler}, ${size}`, value: median(ours), unit: 'ns', reference: median(rr) };
}

report({
  name: 'schedulers',
  title: 'A decision of each scheduler with 10, 100, 1000 destinations',
  against: 'rr',
  rows: SIZES.flatMap((size) => SCHEDULER_NAMES.map((name) => measure(name, size))),
});

/**
 * A mixed load: established connections of every kind that the program forwards for, one frame in
 * ten of a new one, changes of rules and network between them, and a clock that moves on. A director
 * with offload and one without must send the same frames and know the same. ULVS_RUNS: the number
 * of flows, whose flow table then is that of the product.
 */
import { describe, expect, it } from 'vitest';
import { withoutXdp } from '../../device/xdp/missing.js';
import { Random } from '../../support/seed.js';
import { Events } from './mixed/events.js';
import { Flows } from './mixed/flows.js';
import { Pair } from './mixed/pair.js';

const FLOWS = Number(process.env.ULVS_RUNS ?? 300);
/** The flow table has 2 to this power buckets. Few flows get so few that some find no room. */
const BITS = FLOWS > 10_000 ? 16 : 6;
/** With many flows each has fewer frames. */
const FRAMES = FLOWS > 100_000 ? 4 * FLOWS : 24 * FLOWS;
/** Frames between two steps of the clock, two events, two comparisons of everything. */
const STEP = Math.max(32, FLOWS >> 10);
const EVENT = Math.max(300, FLOWS);
const COMPARE = Math.max(700, FLOWS >> 1);
/** Time that the load takes (ms), after each flow was opened. */
const SPAN = 240_000;

/** One in so many frames that are not of a new flow is of any flow, the others of one flow in eight. */
const COLD = 8;

/** A flow goes on when its connection has ended, by drop_entry for example. */
class Load {
  readonly random = new Random();
  readonly flows = new Flows(FLOWS, this.random);
  readonly events: Events;
  frames = 0;

  constructor(readonly pair: Pair) {
    this.events = new Events(pair, this.random);
  }

  /** Every flow begins. */
  async fill(): Promise<void> {
    for (let flow = 0; flow < FLOWS; flow++) this.take(flow, true);
    this.compare();
  }

  async mix(frames: number): Promise<void> {
    const { random, pair } = this;
    for (let i = 1; i <= frames; i++) {
      const isNew = random.below(10) === 0;
      const flow = isNew || random.below(COLD) === 0 ? random.below(FLOWS) : random.below(Math.ceil(FLOWS / 8));
      this.take(flow, isNew);
      if (i % STEP === 0) this.expects(pair.advance(pair.on.now + random.below((2 * SPAN * STEP) / frames)), 'clock');
      if (i % EVENT === 0) this.expects(await this.events.any(), 'event');
      if (i % COMPARE === 0) this.compare();
    }
    this.compare();
  }

  private take(flow: number, isNew: boolean): void {
    const { device, bytes } = isNew ? this.flows.renew(flow) : this.flows.next(flow);
    this.expects(this.pair.receive(device, bytes), 'frame');
    for (const { bytes } of this.pair.left) this.flows.learn(flow, bytes);
    this.expects(this.events.answer(), 'ARP');
    this.frames++;
  }

  private expects(isEqual: boolean, what: string): void {
    if (!isEqual) expect.fail(`seed ${this.random.seed}, frame ${this.frames}: after a ${what} the directors differ`);
  }

  private compare(): void {
    expect(this.pair.difference(), `seed ${this.random.seed}, frame ${this.frames}`).toBe('');
  }
}

describe.skipIf(withoutXdp !== '')('a mixed load, with offload and without', () => {
  it.each([['XDP', false] as const, ['tcx', true] as const])('%s', { timeout: 3_600_000 }, async (_, skb) => {
    const pair = await Pair.of(8 * FLOWS + 1000, { bits: BITS, skb });
    const load = new Load(pair);
    await load.fill();
    await load.mix(FRAMES);
    console.log(
      `offload: ${FLOWS} flows, ${load.frames} frames, ${pair.kernel.forwarded} of them forwarded by the program, ` +
        `${pair.kernel.offload.lines.written} lines written, ${pair.off.director.connections.table.live} connections at the end`,
    );
    expect(pair.kernel.forwarded).toBeGreaterThan(load.frames / 6);
    expect(pair.kernel.tunnelled).toBeGreaterThan(0);
    expect(pair.kernel.forwarded6).toBeGreaterThan(0);
  });
});

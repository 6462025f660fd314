/**
 * Compares a director with offload with one without. Both get the same random traffic. The frames
 * of the first meet the XDP program before the director. The sent frames, counters and tables must
 * be equal.
 */
import { describe, expect, it } from 'vitest';
import { withoutXdp } from '../../device/xdp/missing.js';
import { FlowKernel } from '../../support/flow-kernel.js';
import { Random } from '../../support/seed.js';
import { CASES, type Case, framesFor, USUAL } from '../fastpath/cases.js';
import { directorOf, rule } from '../fastpath/network.js';
import { type Left, Side } from '../fastpath/side.js';

/** ULVS_RUNS: a longer run. */
const ROUNDS = Number(process.env.ULVS_RUNS ?? 32);

const IS_LONG = process.env.ULVS_RUNS !== undefined;
/** The classifier decides by the same instructions; these cases have all that it forwards. */
const TCX = new Set(['nothing special', 'a full table, early_drop', 'path MTU', 'IPv6 beside IPv4', 'tunnels']);

/** A director behind the program. */
class Offloaded {
  left: Left[] = [];

  constructor(
    readonly side: Side,
    readonly kernel: FlowKernel,
  ) {}

  /** One frame after the other: the program is faster than the director. */
  turn(now: number, device: number, frames: readonly Uint8Array[]): void {
    const { side, kernel } = this;
    this.left = [];
    side.tick(now);
    side.finish();
    for (const frame of frames) {
      const sent = kernel.run(device, frame);
      if (sent !== undefined) side.left.push(sent);
      else {
        side.take(device, [frame]);
        side.finish();
        kernel.offload.write();
      }
    }
    side.finish();
    kernel.offload.read();
  }

  async edit(line: string): Promise<void> {
    this.kernel.offload.settle();
    await rule(this.side.inner, line);
  }
}

/** Without a program, one frame after the other as well. */
function alone(side: Side, now: number, device: number, frames: readonly Uint8Array[]): void {
  side.tick(now);
  side.finish();
  for (const frame of frames) {
    side.take(device, [frame]);
    side.finish();
  }
}

const goes = (round: number) =>
  round % 16 === 7 ? '-d -t 10.0.0.100:80 -r 192.168.1.12:8080' : '-a -t 10.0.0.100:80 -r 192.168.1.12:8080 -m';

async function run(one: Case, skb: boolean): Promise<void> {
  const random = new Random();
  const inner = await directorOf(one);
  const kernel = new FlowKernel(inner.director, { after: { tcp: 1, udp: 1 }, skb });
  const on = new Offloaded(new Side(inner, true), kernel);
  const off = new Side(await directorOf(one), false);
  const sources = [...USUAL, ...(one.sources?.(random) ?? [])];
  const left: Left[] = [];
  // A line that was seen at unit 0 counts as never seen.
  for (let round = 0, now = 1000; round < ROUNDS; round++) {
    now += random.pick([0, 1, 10, 100, 3000]);
    const device = random.below(2);
    const frames = framesFor(random, device, sources, left);
    on.turn(now, device, frames);
    alone(off, now, device, frames);
    if (round % 8 === 7) {
      await on.edit(goes(round));
      await rule(off.inner, goes(round));
    }
    const [is, was] = [on.side.state(), off.state()];
    for (const key of Object.keys(was) as (keyof typeof was)[])
      expect(is[key], `seed ${random.seed}, round ${round}, ${key}`).toEqual(was[key]);
    left.push(...off.left);
  }
  // Full NAT is not offloaded: the usual traffic beside it is.
  expect(kernel.forwarded).toBeGreaterThan(one === CASES[0] ? ROUNDS / 4 : 0);
  if (one.name === 'IPv6 beside IPv4') expect(kernel.forwarded6).toBeGreaterThan(ROUNDS / 4);
  if (one.name === 'tunnels') expect(kernel.tunnelled).toBeGreaterThan(0);
}

describe.skipIf(withoutXdp !== '')('a director with offload does the same as one without', () => {
  const byTcx = CASES.filter(({ name }) => IS_LONG || TCX.has(name));
  const cases = [
    ...CASES.map((one) => [one.name, 'XDP', one, false] as const),
    ...byTcx.map((one) => [one.name, 'tcx', one, true] as const),
  ];
  it.each(cases)('%s, %s', { timeout: 240_000 }, (_, _by, one, skb) => run(one, skb));
});

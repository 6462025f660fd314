/**
 * What the machine alone delays: a thread of real-time priority on the contenders' CPU that only
 * reads the clock (bench/reference/clock.c), while the kernel forwards the flood on the other CPU.
 * Its gaps say how long frames would wait for a program that is busy for `load` of the time that
 * the clock ran:
 *
 *     runs      ──────     ──────────     ───────
 *     wait    ╲      │╲   ╲          │╲        wait in a gap: the rest of it, and what waits already
 *              ╲     │ ╲___╲         │ ╲       in a run: what waits already
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { FLOOD_CPU } from '../../../src/lab/flood/cpu-placement.js';
import { waitOf } from '../../../src/lab/flood/pauses.js';
import type { Contender } from './contender.js';
import { forwarding } from './kernel.js';

const PROGRAM = 'build/clock';
/** The part of the frames that waits longer. */
const PARTS = { p50: 0.5, p99: 0.01, p999: 0.001 } as const;

/** In µs. */
export type Waits = Readonly<Record<keyof typeof PARTS, number>>;

/** Frames that came evenly for `ms` waited `most` to `least` ms, each time equally often. */
interface Stretch {
  readonly ms: number;
  readonly most: number;
  readonly least: number;
}

/** The kernel forwards; `readClock` is called beside each run. Not without gcc. */
export const clock: Contender = {
  name: 'clock, realtime',
  tap: false,
  start: (testbed) => {
    mkdirSync('build', { recursive: true });
    execFileSync('gcc', ['-O2', '-o', PROGRAM, 'bench/reference/clock.c'], { stdio: 'inherit' });
    return forwarding.start(testbed);
  },
};

/** Reads the clock for `ms`. */
export async function readClock(ms: number, load: number): Promise<Waits> {
  const { stdout } = await promisify(execFile)(PROGRAM, [`${FLOOD_CPU + 1}`, `${ms}`], { maxBuffer: 1 << 26 });
  const lines = stdout.trim().split('\n');
  return waits(
    lines.map((line) => line.split(' ').map((ns) => Number(ns) / 1e6) as [number, number]),
    load,
  );
}

/** `times`: how long the program ran, and the gap after that, ms. `load`: below 1. */
export function waits(times: readonly (readonly [run: number, gap: number])[], load: number): Waits {
  const stretches: Stretch[] = [];
  const [ran, stood] = [0, 1].map((i) => times.reduce((sum, time) => sum + time[i]!, 0)) as [number, number];
  const busy = (load * ran) / (ran + stood);
  let waiting = 0;
  for (const [run, gap] of times) {
    const drained = Math.min(run, waiting / (1 - busy));
    const left = waiting - drained * (1 - busy);
    stretches.push({ ms: drained, most: waiting, least: left }, { ms: run - drained, most: 0, least: 0 });
    waiting = left + busy * gap;
    stretches.push({ ms: gap, most: left + gap, least: waiting });
  }
  const longest = stretches.reduce((most, one) => Math.max(most, one.most), 0);
  const longer = (than: number) => stretches.reduce((sum, one) => sum + longerIn(one, than), 0) / (ran + stood);
  const figures = Object.entries(PARTS).map(([name, part]) => [name, 1000 * waitOf(part, longest, longer)]);
  return Object.fromEntries(figures) as Waits;
}

/** For how many ms frames came that waited longer. */
function longerIn({ ms, most, least }: Stretch, than: number): number {
  if (least >= than) return ms;
  return most <= than ? 0 : (ms * (most - than)) / (most - least);
}

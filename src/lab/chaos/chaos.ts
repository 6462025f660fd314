/**
 * One chaos run: a plan of faults is carried out while traffic flows, and the invariants are looked
 * at all the time.
 *
 *     load ─► faults of the plan ──────► all ends ─► everything goes on? ─► load ends ─► nothing kept?
 *             └── each 500 ms: sums, bytes, connections ──┘
 */
import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '../build/process.js';
import type { BedOptions, LoadSize } from '../outage/config.js';
import type { Report } from '../outage/measure.js';
import { OutageBed } from '../outage/testbed.js';
import { AskedDirector, descriptorsOf } from '../watch/asked.js';
import { FAULTS, type Scene, SERVERS } from './faults.js';
import { brokenConnections, brokenSums, keptAfter, stillBroken, troubleIn } from './invariants.js';
import { planOf, type Step } from './plan.js';

export interface ChaosOptions extends BedOptions, LoadSize {
  readonly seed: number;
  readonly seconds: number;
}

export interface ChaosResult {
  readonly seed: number;
  readonly device: string;
  readonly method: string;
  readonly steps: number;
  /** How often each fault happened. */
  readonly faults: Readonly<Record<string, number>>;
  /** Looks at the invariants that got an answer. */
  readonly looks: number;
  readonly bytes: number;
  readonly opened: number;
  readonly refused: number;
  readonly lostToVictims: number;
  /** What did not hold, with the time in s. */
  readonly broken: readonly string[];
}

const LOOK_EVERY = 500;
/** After the last fault, until everything must go on, ms: TCP doubles its waits. */
const GOES_ON = 120_000;
/** After the end of the load, until no frame waits, ms. */
const SETTLE = 4000;
/** A worker says this often where its frames are, ms. */
const CENSUS_EVERY = 250;
/** The director needs a moment to look for descriptors and caches that it opens once, ms. */
const BEGIN = 1000;

export function chaosPlan({ seed, seconds }: Pick<ChaosOptions, 'seed' | 'seconds'>): Step[] {
  return planOf(seed, seconds, FAULTS);
}

/** Rejects with a LabError or CommandError when the testbed fails, and with the signal's reason. */
export async function chaos(options: ChaosOptions, signal: AbortSignal): Promise<ChaosResult> {
  const bed = await OutageBed.build({ ...options, servers: SERVERS, wires: options.seed, smallLog: true });
  try {
    setMaxListeners(0, signal); // each fault of the plan listens
    return await new Run(bed, options, signal).play();
  } finally {
    await bed.remove();
  }
}

class Run {
  private readonly asked: AskedDirector;
  private readonly broken: string[] = [];
  private readonly began = performance.now();
  /** By place: the last fault there. */
  private readonly places = new Map<string, Promise<void>>();
  private looks = 0;
  private bytes = 0;
  private opened = 0;
  private refused = 0;
  private last: readonly Report[] = [];

  constructor(
    private readonly bed: OutageBed,
    private readonly options: ChaosOptions,
    private readonly signal: AbortSignal,
  ) {
    this.asked = new AskedDirector(bed.socket);
  }

  async play(): Promise<ChaosResult> {
    const { bed, options } = this;
    const { pid } = bed.director;
    await bed.load({ ...options, again: true });
    await sleep(BEGIN);
    await this.asked.status();
    const before = descriptorsOf(pid);
    const plan = chaosPlan(options);
    await this.carryOut(plan);
    await this.untilAllGoOn();
    await bed.endLoad();
    this.note(await this.kept(pid, before));
    this.note(troubleIn(readFileSync(bed.log, 'utf8')));
    this.asked.close();
    return this.result(plan);
  }

  /** What the director still keeps after SETTLE; nothing, as soon as it keeps nothing. */
  private async kept(pid: number, before: number): Promise<string[]> {
    for (const end = performance.now() + SETTLE; ; await sleep(CENSUS_EVERY)) {
      const kept = keptAfter(await this.asked.status(), { before, after: descriptorsOf(pid) });
      if (kept.length === 0 || performance.now() > end) return kept;
    }
  }

  private note(sentences: readonly string[]): void {
    const at = ((performance.now() - this.began) / 1000).toFixed(1);
    for (const sentence of sentences)
      if (!this.broken.some((one) => one.endsWith(sentence))) this.broken.push(`${at} s: ${sentence}`);
  }

  /** Carries out the plan, and looks at the invariants meanwhile. */
  private async carryOut(plan: readonly Step[]): Promise<void> {
    const scene: Scene = { bed: this.bed, config: readFileSync(this.bed.config, 'utf8') };
    let over = false;
    const looking = (async () => {
      while (!over) {
        this.signal.throwIfAborted();
        await this.look();
        await sleep(LOOK_EVERY);
      }
    })();
    looking.catch(() => {}); // it is awaited below
    try {
      await Promise.all(plan.map((step) => this.step(scene, step)));
    } finally {
      over = true;
      await looking;
    }
  }

  /** A fault may take longer than it was planned: the next one at its place waits for its end. */
  private async step(scene: Scene, step: Step): Promise<void> {
    await sleep(step.at, undefined, { signal: this.signal });
    const before = this.places.get(step.place);
    const carried = (async () => {
      await before;
      await this.fault(scene, step);
    })();
    this.places.set(step.place, carried);
    await carried;
  }

  private async fault(scene: Scene, { lasts, fault, place, strength }: Step): Promise<void> {
    try {
      const end = await FAULTS.find(({ name }) => name === fault)!.begin(scene, place, strength);
      await sleep(lasts, undefined, { signal: this.signal });
      await end();
    } catch (error) {
      this.note([`${fault} at ${place}: ${(error as Error).message}`]);
    }
  }

  private async look(): Promise<void> {
    const [healthy, others] = await this.report();
    this.note(brokenConnections(healthy, others));
    if (!isRunning(this.bed.director)) return this.note(['the director has ended']);
    // A stopped director answers later.
    const status = await this.asked.status().catch(() => undefined);
    if (status === undefined) return;
    this.looks++;
    this.note(brokenSums(status));
  }

  private async report(): Promise<readonly [Report, Report]> {
    const reports = await this.bed.report();
    this.last = reports;
    for (const { bytes, opened, refused } of reports) {
      this.bytes += bytes;
      this.opened += opened;
      this.refused += refused;
    }
    return reports;
  }

  /** Notes what does not go on in time. */
  private async untilAllGoOn(): Promise<void> {
    const begin = performance.now();
    for (;;) {
      await sleep(LOOK_EVERY, undefined, { signal: this.signal });
      await this.look();
      const since = performance.now() - begin;
      const still = stillBroken(since, this.last);
      if (still.length === 0) return;
      if (since > GOES_ON) return this.note(still);
    }
  }

  private result(plan: readonly Step[]): ChaosResult {
    const { seed, device, method } = this.options;
    const faults: Record<string, number> = {};
    for (const { fault } of plan) faults[fault] = (faults[fault] ?? 0) + 1;
    const { looks, bytes, opened, refused, broken } = this;
    const lostToVictims = this.last[1]?.lost ?? 0;
    return { seed, device, method, steps: plan.length, faults, looks, bytes, opened, refused, lostToVictims, broken };
  }
}

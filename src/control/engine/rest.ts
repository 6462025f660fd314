/**
 * Rest of a worker with real-time priority. Linux lets real-time threads run for 95 % of a second
 * (sched_rt_runtime_us) and then stops them for 50 ms. Since Linux 6.12 its fair server does the
 * same for threads that starve. A worker that rests 7 % of each half millisecond never comes there:
 *
 *     |≈≈≈≈≈≈≈≈ turns ≈≈≈≈≈≈≈≈≈| 40 µs |≈≈≈≈≈≈≈≈ turns ≈≈≈≈≈≈≈≈≈| 40 µs |      instead of      |≈≈ 950 ms ≈≈| 50 ms |
 *
 * What it sleeps for want of frames counts as rest. Others, ksoftirqd and kworkers too, run then.
 * It rests from its start, so that V8 has compiled that too when the priority begins.
 *
 *     usual priority ── COLD_TURNS ──► V8's threads busy? ── no ──► goes first
 *                                          ▲    │ yes, at most CHECKS times
 *                                          └────┘ AGAIN_TURNS
 *
 * While frames come no CPU sleeps (wake-latency.ts): one that sleeps wakes up late, most of all in
 * a virtual machine, whose host has given it to somebody else.
 */

import { monotonic } from './clock.js';

/** In ms. */
const PERIOD_MS = 0.5;
const REST_MS = 0.04;
/** What a call of poll(2) takes that does not sleep, ms. */
const CALL_MS = 0.005;
/**
 * Turns with frames after which a worker's code may be compiled: about a second under load. Where
 * V8's compiler has the same CPU it would get 7 % of it from then on: what takes it half a second
 * would take seven, and code that is not compiled is several times slower.
 */
const COLD_TURNS = 20_000;
/** Turns with frames from one look at V8's threads to the next. */
const AGAIN_TURNS = 2000;
const CHECKS = 50;
/** V8's threads are busy when they have used more than this part of the time. */
const BUSY_PART = 0.05;
/** Frames that come again within this time keep the CPUs awake, ms. */
const DENSE_MS = 1;
/** A wait for frames that is longer than this ends it, ms. */
const QUIET_MS = 10;
/** An idle worker polls on for this time, ms: the CPU would have to wake up again. */
const SPIN_MS = 0.05;

export class Rest {
  private rested = 0;
  private due = 0;
  private idleSince = 0;
  private cold = COLD_TURNS;
  private checks = 0;
  private compiled = Number.NaN;
  private checked = Number.NaN;
  private isAwake = false;

  /**
   * `flags`: word 0 is 1 while messages wait, and ends a rest. `compilerTime`: the processor time
   * that V8's threads have used, ms. `goFirst` sets the priority, `keepAwake` says whether CPUs may
   * sleep.
   */
  constructor(
    private readonly flags: Int32Array,
    private readonly compilerTime: () => number,
    private readonly goFirst: () => void,
    private readonly keepAwake: (awake: boolean) => void,
  ) {}

  /** Rests between two turns, where it is time. Takes and returns a time of `monotonic`. */
  between(now: number): number {
    if (now < this.due) return now;
    if (this.rested < REST_MS) Atomics.wait(this.flags, 0, 0, REST_MS - this.rested);
    this.rested = 0;
    const after = monotonic();
    this.due = after + PERIOD_MS;
    return after;
  }

  /** A turn at `now` has received frames. */
  worked(now: number): void {
    if (!this.isAwake && now - this.idleSince < DENSE_MS) this.wake(true);
    this.idleSince = now;
    if (this.cold > 0 && --this.cold === 0) this.begin(now);
  }

  /** Goes first, or looks again later: V8 still compiles. */
  private begin(now: number): void {
    const used = this.compilerTime();
    const isQuiet = used - this.compiled <= BUSY_PART * (now - this.checked);
    this.compiled = used;
    this.checked = now;
    if (isQuiet || ++this.checks === CHECKS) this.goFirst();
    else this.cold = AGAIN_TURNS;
  }

  /** Frames have come so recently that more may come soon. */
  mayComeSoon(now: number): boolean {
    return now - this.idleSince < SPIN_MS;
  }

  /** The worker has waited for frames for `ms`. */
  slept(ms: number): void {
    this.rested += Math.max(0, ms - CALL_MS);
    if (this.isAwake && ms > QUIET_MS) this.wake(false);
  }

  /** CPUs may sleep again: the worker ends, and its process may go on. */
  end(): void {
    if (this.isAwake) this.wake(false);
  }

  private wake(awake: boolean): void {
    this.isAwake = awake;
    this.keepAwake(awake);
  }
}

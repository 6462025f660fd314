/**
 * The state of one check: rise and fall, and when it runs next. It does no I/O and reads no clock.
 *
 *               fall failures in a row
 *          ┌───────────────────────────────┐
 *         up                              down
 *          └───────────────────────────────┘
 *               rise successes in a row
 *
 * The interval is `interval` while the last answer was good and the check is up, else `fast`.
 */
import type { Check, CheckStatus, Outcome } from './spec.js';

/** A check of one destination. `random` returns 0 to 1. */
export class Judge {
  up = true;
  /** The last answer has changed the state. */
  changed = false;
  /** Time of the next run, ms. */
  next: number;
  /** Weight that the last good answer asked for; -1: none. */
  weight = -1;
  private streak = 0;
  private text = 'not checked yet';
  private took = 0;
  private passed = 0;
  private failed = 0;
  private lastOk = true;

  /** The first run is at a random time, so that thousands of checks do not begin together. */
  constructor(
    readonly check: Check,
    now: number,
    private readonly random: () => number,
  ) {
    this.next = now + random() * Math.min(check.interval, FIRST_WITHIN);
  }

  /** Replaces the parameters; the state stays. */
  with(check: Check, now: number): Judge {
    const judge = new Judge(check, now, this.random);
    const { up, weight, streak, text, took, passed, failed, lastOk } = this;
    return Object.assign(judge, { up, weight, streak, text, took, passed, failed, lastOk });
  }

  /** Takes an answer; `changed` says whether the state has changed. */
  end({ ok, text, weight = -1 }: Outcome, took: number, now: number): void {
    this.text = text;
    this.took = took;
    this.lastOk = ok;
    if (ok) this.passed++;
    else this.failed++;
    if (ok) this.weight = weight;
    this.streak = ok === this.up ? 0 : this.streak + 1;
    this.changed = this.streak >= (this.up ? this.check.fall : this.check.rise);
    if (this.changed) {
      this.up = !this.up;
      this.streak = 0;
    }
    this.next = now + this.pause();
  }

  get status(): CheckStatus {
    const { up, text, took, passed, failed } = this;
    const { id, type } = this.check;
    return { id, type, up, text, took, passed, failed };
  }

  /** The last answer, one line. */
  get reason(): string {
    return this.text;
  }

  private pause(): number {
    const { interval, fast, jitter } = this.check;
    const base = this.up && this.lastOk ? interval : fast;
    return base * (1 + jitter * (2 * this.random() - 1));
  }
}

/** Limit of the time until a check runs first, ms. */
const FIRST_WITHIN = 2000;

/**
 * Prints the outcomes of checks: one line with ✔ or ✘ each, coloured on a terminal that wants it,
 * or one JSON object a line.
 */

import { tick } from '../control/text/colour.js';
import type { Outcome } from './checks/run.js';
import type { Progress } from './load/client.js';

export type Form = 'text' | 'json';

const CLEAR_LINE = '\r\x1b[K';

export class Report {
  private failures = 0;
  private n = 0;

  constructor(
    private readonly form: Form,
    private readonly out: NodeJS.WriteStream = process.stdout,
  ) {}

  get failed(): number {
    return this.failures;
  }

  /** Text only. */
  say(line: string): void {
    if (this.form === 'text') this.out.write(`${this.clear}${line}\n`);
  }

  outcome(outcome: Outcome): void {
    this.n++;
    if (!outcome.ok) this.failures++;
    this.json(outcome);
    this.line(outcome.ok, outcome.name.padEnd(58), outcome.figure);
  }

  /** Prints a ✔ or ✘ line; in text form only. */
  line(ok: boolean, what: string, figure: string): void {
    this.say(`${tick(ok, this.out)} ${what} ${figure}`);
  }

  /** Prints one object as one line; in JSON form only. */
  json(object: object): void {
    if (this.form === 'json') this.out.write(`${JSON.stringify(object)}\n`);
  }

  /** Prints a progress counter that overwrites itself; on a terminal only. */
  readonly progress: Progress = (done, total) => {
    if (this.form === 'text' && this.out.isTTY) this.out.write(`${CLEAR_LINE}  ${done} of ${total}`);
  };

  total(what: string, ms: number): void {
    const passed = this.n - this.failures;
    this.json({ lab: what, passed, failed: this.failures, ms });
    this.say(`${what}: ${passed} of ${this.n} checks passed in ${(ms / 1000).toFixed(1)} s`);
  }

  private get clear(): string {
    return this.out.isTTY ? CLEAR_LINE : '';
  }
}

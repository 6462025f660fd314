/**
 * Fuzzes one target: takes an input of the corpus, changes it, runs it, and keeps it when it
 * reached new code.
 */
import { Random } from '../../support/seed.js';
import { blocks } from './coverage.js';
import { failureOf, minimise } from './minimise.js';
import { mutate } from './mutate.js';
import { bytesOf, type Session, type Target } from './target.js';

export interface Failure {
  readonly message: string;
  /** The session's number, and the inputs that fail in it, in their order. */
  readonly epoch: number;
  readonly inputs: readonly Uint8Array[];
}

export interface Outcome {
  readonly executions: number;
  readonly corpus: readonly Uint8Array[];
  readonly failure: Failure | undefined;
}

export interface Limits {
  readonly seconds: number;
  readonly executions?: number;
}

const EMPTY = new Uint8Array(0);
/** Executions between two looks at the clock, and between two expensive checks. */
const ROUND = 64;
/** An input that takes longer, in ms, is a hang. */
const HANG_MS = 5000;

/** Runs the corpus `kept` and the target's seeds, then changed inputs, until the time is over or one fails. */
export async function fuzz(target: Target, kept: readonly Uint8Array[], limits: Limits, random = new Random()) {
  const campaign = new Campaign(target, random);
  return campaign.play([...kept, ...target.seeds()], limits);
}

class Campaign {
  private readonly corpus: Uint8Array[] = [];
  private readonly words: readonly Uint8Array[];
  private history: Uint8Array[] = [];
  private epoch = 0;
  private executions = 0;
  private session!: Session;

  constructor(
    private readonly target: Target,
    private readonly random: Random,
  ) {
    this.words = (target.words ?? []).map(bytesOf);
  }

  async play(
    start: readonly Uint8Array[],
    { seconds, executions = Number.POSITIVE_INFINITY }: Limits,
  ): Promise<Outcome> {
    const end = performance.now() + seconds * 1000;
    // Most answers are errors, and their stacks would take most of the time.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      this.session = await this.target.begin(this.epoch);
      for (const input of start) {
        await this.take(input, true);
        if (this.executions % ROUND === 0 && performance.now() > end) break;
      }
      if (this.corpus.length === 0) this.corpus.push(...(start.length > 0 ? start : [EMPTY]));
      while (this.executions < executions && performance.now() < end)
        for (let n = ROUND; n > 0; n--) {
          const running = this.take(this.next(), false);
          if (running !== undefined) await running;
        }
      this.session.check?.();
      return this.outcome(undefined);
    } catch (error) {
      Error.stackTraceLimit = stackTraceLimit;
      return this.outcome(await this.failure(error));
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  private next(): Uint8Array {
    const { corpus, random, target } = this;
    const input = random.pick(corpus);
    const other = random.pick(corpus);
    const next = target.mutate ? target.mutate(random, input, other) : mutate(random, input, other, this.words);
    return target.epoch === 1 ? next : next.slice();
  }

  /** Runs one input. Returns a promise only where there is something to wait for. */
  private take(input: Uint8Array, always: boolean): void | Promise<void> {
    if (this.target.epoch === 1) this.history[0] = input;
    else if (this.history.length < this.target.epoch) this.history.push(input);
    else return this.renew().then(() => this.take(input, always));
    const before = blocks.count;
    const began = this.executions % ROUND === 0 ? performance.now() : 0;
    const running = this.session.run(input);
    if (running === undefined) return this.done(input, before, began, always);
    return running.then(() => this.done(input, before, began, always));
  }

  private done(input: Uint8Array, before: number, began: number, always: boolean): void {
    if (blocks.count !== before || (always && blocks.reached.length === 0)) this.corpus.push(input.slice());
    if (this.executions++ % ROUND !== 0) return;
    if (performance.now() - began > HANG_MS) throw new Error(`an input took more than ${HANG_MS} ms`);
    this.session.check?.();
  }

  private async renew(): Promise<void> {
    this.session.check?.();
    this.history = [];
    this.session = await this.target.begin(++this.epoch);
  }

  private async failure(error: unknown): Promise<Failure> {
    const inputs = await minimise(this.target, this.epoch, this.history);
    const message = (await failureOf(this.target, this.epoch, inputs)) ?? String(error);
    return { message, epoch: this.epoch, inputs };
  }

  private outcome(failure: Failure | undefined): Outcome {
    return { executions: this.executions, corpus: this.corpus, failure };
  }
}

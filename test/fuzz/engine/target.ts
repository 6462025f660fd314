/**
 * A fuzz target: a part of ulvs that reads bytes from outside, and what must hold for every input.
 *
 *     seeds ─► corpus ─► mutate ─► run(input) ─► throws: a bug
 *                 ▲                    │
 *                 └── new blocks of code reached
 *
 * A target may keep state from one input to the next. `begin` makes it anew every `epoch` inputs,
 * so that what a failure needs is among the inputs since then.
 */
import type { Random } from '../../support/seed.js';

/** Takes one input. Throws an Error when a property does not hold. */
export interface Session {
  run(input: Uint8Array): void | Promise<void>;
  /** Properties that are too expensive for each input: every 64 inputs, and at the end. */
  check?(): void;
}

export interface Target {
  readonly name: string;
  /** What is fuzzed, half a sentence. */
  readonly about: string;
  /** Source folders or files below src whose coverage is reported. */
  readonly covers: readonly string[];
  /** Inputs between two calls of `begin`; 1: it keeps no state, and one session serves for all. */
  readonly epoch: number;
  /** Words that occur in sound inputs. */
  readonly words?: readonly string[];
  /** Sound inputs. */
  seeds(): Uint8Array[];
  /** Changes an input in a way that keeps its form; absent: bytes are changed at random. */
  mutate?(random: Random, input: Uint8Array, other: Uint8Array): Uint8Array;
  /** `epoch`: the number of the session, which may choose among configurations. */
  begin(epoch: number): Session | Promise<Session>;
}

const text = new TextEncoder();
const latin = new TextDecoder('latin1');

/** The bytes of a text. */
export function bytesOf(line: string): Uint8Array {
  return text.encode(line);
}
/** The text of an input. Any bytes are a text. */
export function textOf(input: Uint8Array): string {
  return latin.decode(input);
}

/** Runs `take`; errors of the classes `allowed` are answers, not bugs. */
export function allowing(allowed: readonly (new (...args: never[]) => Error)[], take: () => void): void {
  try {
    take();
  } catch (error) {
    if (!allowed.some((one) => error instanceof one)) throw error;
  }
}

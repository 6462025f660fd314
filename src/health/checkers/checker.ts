/** What a type of check is: a row of the table in index.ts. */
import type { CheckOptions, Outcome } from '../spec.js';

/** Where a check goes. */
export interface Place {
  readonly address: string;
  readonly port: number;
  /** Address and port of the destination as text. */
  readonly name: string;
}

/** Options of director.yaml that a type reads. */
export type Option = keyof CheckOptions;

/** A type of check. */
export interface Checker {
  /** What makes it good, half a sentence for the documents. */
  readonly good: string;
  readonly options: readonly Option[];
  /**
   * Resolves with the answer, or rejects with the reason. `signal` ends it: it closes what it has
   * opened. `connectTimeout` in ms.
   */
  run(place: Place, options: CheckOptions & { connectTimeout: number }, signal: AbortSignal): Promise<Outcome>;
}

/** What a check knows when it runs. */
export type CheckSettings = Parameters<Checker['run']>[1];

/** Bytes of an answer that a check reads at most. */
export const LONGEST_ANSWER = 1 << 20;

export function good(text: string): Outcome {
  return { ok: true, text };
}

export function bad(text: string): Outcome {
  return { ok: false, text };
}

/** Bytes of `send`: text, or `hex:0a0b`. */
export function bytesOf(send: string): Buffer {
  return send.startsWith('hex:') ? Buffer.from(send.slice(4), 'hex') : Buffer.from(send);
}

/** What the supervisor does with a stopped call. */
import type { Outcome } from '../../sys/seccomp.js';

export interface Result {
  readonly outcome: Outcome;
  /** The caller has the outcome. */
  delivered?(): void;
  /** The caller is gone or was interrupted; it may make the same call again. */
  lost?(): void;
}

/** `answered`: the caller has its answer already (a descriptor). */
export type Served = Result | 'answered';

export function returns(value: number): Result {
  return { outcome: { value } };
}

/** The kernel executes the call as if nobody had stopped it. */
export const LEFT_TO_KERNEL: Result = { outcome: 'continue' };

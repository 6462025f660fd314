/**
 * The names of scheduler flags, in options and listings. Each scheduler names its own; flag-1 to
 * flag-3 are for all.
 */
import { SCHEDULERS, schedulerNamed } from '../schedulers/index.js';
import { type ServiceConfig, SVC_SCHED1, SVC_SCHED2, SVC_SCHED3 } from '../service/config.js';

const BITS = [SVC_SCHED1, SVC_SCHED2, SVC_SCHED3];
const PLAIN = ['flag-1', 'flag-2', 'flag-3'];

/** A flag that may be given. */
export interface SchedulerFlag {
  /** SVC_SCHED*. */
  readonly bit: number;
  /** The scheduler that has the flag; absent: every scheduler. */
  readonly scheduler?: string;
}

/** Every flag, by name. */
export const SCHEDULER_FLAGS: ReadonlyMap<string, SchedulerFlag> = new Map([
  ...PLAIN.map((name, i): [string, SchedulerFlag] => [name, { bit: BITS[i]! }]),
  ...SCHEDULERS.flatMap(({ name: scheduler, flags = [] }) =>
    flags.map((name, i): [string, SchedulerFlag] => [name, { bit: BITS[i]!, scheduler }]),
  ),
]);

/**
 * The names of the scheduler flags that are set; undefined if none is. A scheduler with names for
 * its flags does not show flags without a name, as ipvsadm does not.
 */
export function schedulerFlagNames({ scheduler, flags }: ServiceConfig): string | undefined {
  const set = BITS.map((bit) => (flags & bit) !== 0);
  if (!set.includes(true)) return undefined;
  const names = schedulerNamed(scheduler)?.flags ?? PLAIN;
  return names.filter((_, i) => set[i]).join(',');
}

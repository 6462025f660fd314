/** Names of scheduler flags, in options and listings. Each scheduler names its own; flag-1 to flag-3 fit all. */
import { SCHEDULERS, schedulerNamed } from '../schedulers/index.js';
import { type ServiceConfig, SVC_SCHED1, SVC_SCHED2, SVC_SCHED3 } from '../service/config.js';

const BITS = [SVC_SCHED1, SVC_SCHED2, SVC_SCHED3];
const PLAIN = ['flag-1', 'flag-2', 'flag-3'];

/** A flag that may be given. */
export interface SchedulerFlag {
  /** SVC_SCHED*. */
  readonly bit: number;
  /** The one scheduler that has it; absent: any. */
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
 * The scheduler flags that are set, by name, or undefined when none is. A scheduler that names flags does not show those
 * that it has no name for, as ipvsadm does.
 */
export function schedulerFlagNames({ scheduler, flags }: ServiceConfig): string | undefined {
  const set = BITS.map((bit) => (flags & bit) !== 0);
  if (!set.includes(true)) return undefined;
  const names = schedulerNamed(scheduler)?.flags ?? PLAIN;
  return names.filter((_, i) => set[i]).join(',');
}

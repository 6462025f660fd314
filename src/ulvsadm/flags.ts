import { type ServiceConfig, SVC_SCHED1, SVC_SCHED2, SVC_SCHED3 } from '../service/config.js';

const BITS = [SVC_SCHED1, SVC_SCHED2, SVC_SCHED3];
const PLAIN = ['flag-1', 'flag-2', 'flag-3'];
/** sh and mh have names for two flags and do not show the third. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  sh: ['sh-fallback', 'sh-port'],
  mh: ['mh-fallback', 'mh-port'],
};

/** The scheduler flags that are set, by name, or undefined when none is. */
export function schedulerFlagNames({ scheduler, flags }: ServiceConfig): string | undefined {
  const set = BITS.map((bit) => (flags & bit) !== 0);
  if (!set.includes(true)) return undefined;
  const names = Object.hasOwn(NAMED, scheduler) ? NAMED[scheduler]! : PLAIN;
  return names.filter((_, i) => set[i]).join(',');
}

/**
 * What the kernel forwards beyond the moment it has at hand is done by its threads ksoftirqd/N, as niceness 0 among all that
 * runs. The contenders that are processes go first (src/lab/flood/cpu-placement.ts); so must these, for the same reason.
 */
import { cpus, getPriority, setPriority } from 'node:os';
import { kernelThread } from '../http/cost.js';

const FIRST = -20;

/** Returns what puts it back. */
export function preferSoftirqs(): () => void {
  const before = cpus().map((_, cpu) => {
    const pid = kernelThread(`ksoftirqd/${cpu}`);
    return { pid, priority: getPriority(pid) };
  });
  for (const { pid } of before) setPriority(pid, FIRST);
  return () => {
    for (const { pid, priority } of before) setPriority(pid, priority);
  };
}

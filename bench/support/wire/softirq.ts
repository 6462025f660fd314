/**
 * Priority of the kernel as a contender. Under load the kernel forwards in its threads ksoftirqd/N,
 * which have niceness 0. The contenders that are processes run with niceness -20
 * (src/lab/flood/cpu-placement.ts), so these threads get it, too.
 */
import { cpus, getPriority, setPriority } from 'node:os';
import { kernelThread } from '../http/cost.js';

const FIRST = -20;

/** Gives all ksoftirqd threads niceness -20. Returns a function that restores the old values. */
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

/**
 * The flood has the first CPU for itself, whoever forwards has the others; where there is one CPU, all share it. Both go
 * before everything else that runs: a flood that waits has gaps and then bursts, and a box that forwards does nothing else.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** The flood's CPU. */
export const OWN = 0;

/** Words before a command, for the flood: nothing comes before it. */
export function alone(): string[] {
  return cpus().length > 1 ? ['chrt', '-f', '1', 'taskset', '-c', String(OWN)] : [];
}

/** Words before a command: on the other CPUs, first among equals. */
export function beside(): string[] {
  const all = cpus().length;
  return all > 1 ? ['nice', '-n', '-20', 'taskset', '-c', `${OWN + 1}-${all - 1}`] : [];
}

/** Where the kernel shares CPUs out by session, niceness counts among its processes only; a session has its own. */
export function prefer(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, '-20');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // a kernel without, or the process has ended
  }
}

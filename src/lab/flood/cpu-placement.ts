/**
 * CPU placement of a flood: the generator has the first CPU, the forwarder the others; with one CPU
 * they share it. Both have priority over everything else on the machine. A generator that has to
 * wait makes gaps and bursts, and a real director has its machine to itself.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** The CPU of the generator. */
export const FLOOD_CPU = 0;

/** Command prefix for the generator: real-time priority on its CPU. */
export function floodPrefix(): string[] {
  return cpus().length > 1 ? ['chrt', '-f', '1', 'taskset', '-c', String(FLOOD_CPU)] : [];
}

/**
 * Command prefix for the forwarder, on the other CPUs. Its niceness leaves room for that of a
 * worker, which is 10 lower.
 */
export function forwarderPrefix(): string[] {
  const all = cpus().length;
  return all > 1 ? ['nice', '-n', '-10', 'taskset', '-c', `${FLOOD_CPU + 1}-${all - 1}`] : [];
}

/**
 * Raises the autogroup of a process. With autogroups the kernel divides CPU time between sessions,
 * and niceness counts within a session only. Does nothing if the kernel has none or the process has
 * ended.
 */
export function preferInScheduler(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, '-20');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // no autogroups, or the process has ended
  }
}

/** Processor time of processes and kernel threads, in seconds. */
import { readdirSync, readFileSync } from 'node:fs';

/** The process and its descendants, such as nginx's workers. */
export function family(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(family)];
}

/**
 * Processor time of all threads of the processes, in seconds. The source is the scheduler's
 * nanoseconds in schedstat, not clock ticks.
 */
export function processorSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + runtimeOf(pid), 0) / 1e9;
}

function runtimeOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce(
    (sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    0,
  );
}

/** The pid of the kernel thread `name`, for example ksoftirqd/1. Throws when there is none. */
export function kernelThread(name: string): number {
  const found = readdirSync('/proc').find((pid) => /^\d+$/.test(pid) && commandOf(pid) === name);
  if (found === undefined) throw new Error(`no kernel thread ${name}: fewer than two processors?`);
  return Number(found);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return ''; // the process has ended
  }
}

/** Long-running programs of a lab, each in its namespace: started, awaited until they say they are ready, and ended by pid. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../error.js';

/** `started` (clock ticks since boot, of /proc/PID/stat) tells the process from a later one with the same pid. */
export interface Running {
  readonly pid: number;
  readonly started: number;
  readonly what: string;
  readonly log: string;
}

/** Its output goes to `log`; it outlives us. */
export function start(what: string, namespace: string, log: string, words: readonly string[]): Running {
  const fd = openSync(log, 'w');
  try {
    // `ip netns exec` becomes the program, so the pid is the program's own.
    const child = spawn('ip', ['netns', 'exec', namespace, ...words], { detached: true, stdio: ['ignore', fd, fd] });
    child.unref();
    child.on('error', () => {}); // no pid then: reported below
    if (child.pid === undefined) throw new LabError(`cannot start ${what}: is iproute2 installed?`);
    return { pid: child.pid, started: startTime(child.pid), what, log };
  } finally {
    closeSync(fd);
  }
}

/** Field 22 of /proc/PID/stat; 0 when there is no such process, or it is a zombie. */
export function startTime(pid: number): number {
  const fields = statOf(pid);
  return fields === undefined || fields[0] === 'Z' ? 0 : Number(fields[19]);
}

/** The fields of /proc/PID/stat from the third on, the state; the second, a name, may hold blanks. */
export function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined;
  }
}

export function isRunning({ pid, started }: Running): boolean {
  return started !== 0 && startTime(pid) === started;
}

/** Waits until `ready()`; LabError with the end of its log when the program dies first or takes longer than `ms`. */
export async function untilReady(
  process: Running,
  ready: () => boolean | Promise<boolean>,
  ms = 30_000,
): Promise<void> {
  for (const end = Date.now() + ms; !(await ready()); await sleep(15)) {
    if (!isRunning(process)) throw new LabError(`${process.what} ended at once: ${logTail(process.log)}`);
    if (Date.now() > end)
      throw new LabError(`${process.what} is not ready after ${ms / 1000} s: ${logTail(process.log)}`);
  }
}

export function logTail(log: string): string {
  return readFileSync(log, 'utf8').trim().split('\n').slice(-3).join('; ') || `it said nothing (${log})`;
}

/** A program of ours writes a line `ready` when it listens. */
export function saysReady({ log }: Running): boolean {
  return /^ready$/m.test(readFileSync(log, 'utf8'));
}

/** SIGTERM, and SIGKILL for what is still there after `ms`. */
export async function stop(processes: readonly Running[], ms = 3000): Promise<void> {
  for (const process of processes) signal(process, 'SIGTERM');
  const end = Date.now() + ms;
  while (processes.some(isRunning) && Date.now() < end) await sleep(15);
  for (const process of processes) signal(process, 'SIGKILL');
  while (processes.some(isRunning)) await sleep(5);
}

function signal(running: Running, name: NodeJS.Signals): void {
  if (!isRunning(running)) return;
  try {
    process.kill(running.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

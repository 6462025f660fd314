/**
 * Long-running programs of a lab, each in a namespace: started, awaited until they report that they
 * are ready, and ended by pid.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../error.js';

/**
 * A running program. `started` (clock ticks since boot, from /proc/PID/stat) distinguishes the
 * process from a later one with the same pid.
 */
export interface Running {
  readonly pid: number;
  readonly started: number;
  readonly what: string;
  readonly log: string;
}

/**
 * Starts a program whose output goes to `log`, in a namespace or (undefined) where this process is.
 * It outlives this process. Throws a LabError if it
 * cannot be started.
 */
export function start(what: string, namespace: string | undefined, log: string, words: readonly string[]): Running {
  const fd = openSync(log, 'w');
  try {
    // `ip netns exec` becomes the program, so the pid is the program's own.
    const inside = namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace];
    const [file = '', ...rest] = [...inside, ...words];
    const child = spawn(file, rest, { detached: true, stdio: ['ignore', fd, fd] });
    child.unref();
    child.on('error', () => {}); // without a pid, which is reported below
    if (child.pid === undefined) throw new LabError(`cannot start ${what}: is iproute2 installed?`);
    return { pid: child.pid, started: startTime(child.pid), what, log };
  } finally {
    closeSync(fd);
  }
}

/**
 * Field 22 of /proc/PID/stat, in clock ticks since boot; 0 if there is no such process or it is a
 * zombie.
 */
export function startTime(pid: number): number {
  const fields = statOf(pid);
  return fields === undefined || fields[0] === 'Z' ? 0 : Number(fields[19]);
}

/**
 * The fields of /proc/PID/stat from the third (the state) on. The second one, the name, may contain
 * blanks.
 */
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

/**
 * Waits until `ready()` is true. Throws a LabError with the end of the log if the program ends
 * first or needs more than `ms`.
 */
export async function untilReady(
  process: Running,
  ready: () => boolean | Promise<boolean>,
  ms = 30_000,
): Promise<void> {
  for (const end = Date.now() + ms; !(await ready()); await sleep(15)) {
    if (!isRunning(process)) throw new LabError(`${process.what} ended before it was ready: ${logTail(process.log)}`);
    if (Date.now() > end)
      throw new LabError(`${process.what} is not ready after ${ms / 1000} s: ${logTail(process.log)}`);
  }
}

/** The last three lines of a log. */
export function logTail(log: string): string {
  return readFileSync(log, 'utf8').trim().split('\n').slice(-3).join('; ') || `no output (${log})`;
}

/**
 * Whether the program has written the line `ready`, as this project's programs do when they listen.
 */
export function saysReady({ log }: Running): boolean {
  return /^ready$/m.test(readFileSync(log, 'utf8'));
}

/** Sends SIGTERM, and SIGKILL to those that still run after `ms`. Resolves when all have ended. */
export async function stop(processes: readonly Running[], ms = 3000): Promise<void> {
  for (const process of processes) signal(process, 'SIGTERM');
  const end = Date.now() + ms;
  while (processes.some(isRunning) && Date.now() < end) await sleep(15);
  for (const process of processes) signal(process, 'SIGKILL');
  while (processes.some(isRunning)) await sleep(5);
}

/** Kills processes at once, as a machine that loses its power. */
export function kill(processes: readonly Running[]): void {
  for (const process of processes) signal(process, 'SIGKILL');
}

function signal(running: Running, name: NodeJS.Signals): void {
  if (!isRunning(running)) return;
  try {
    process.kill(running.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

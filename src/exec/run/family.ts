/**
 * The processes below `ulvs exec`: the command, and what it leaves behind. A daemon that goes into
 * the background becomes our child (PR_SET_CHILD_SUBREAPER), so its memory stays readable under
 * Yama, and its end is seen.
 */
import { readFileSync } from 'node:fs';
import { reap } from '../../sys/process.js';

/** The children of this process, with those that have ended and are not reaped. */
export function children(): number[] {
  const text = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/**
 * Reaps children that have ended, except `command`, which Node.js reaps. Returns those that live.
 */
export function reapOrphans(command: number | undefined): number[] {
  for (const pid of children()) if (pid !== command) reap(pid);
  return children().filter((pid) => pid !== command);
}

/** Sends a signal to processes; those that are gone do not matter. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // it has ended
    }
  }
}

/**
 * This process and its command are in the foreground of a terminal, which sends SIGINT and SIGQUIT
 * to both. proc(5): field 5 of stat is the process group, field 8 that of the terminal's
 * foreground.
 */
export function inForeground(): boolean {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return fields[2] === fields[5];
}

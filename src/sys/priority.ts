/**
 * The priority of this process (setpriority(2)). Linux has one for each thread; a new thread has
 * that of the thread that starts it.
 */
import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** Steps of nice(1) that `stepBack` gives way. */
const STEPS = 10;
const LOWEST = 19;

/**
 * All threads of this process give way to other processes until the returned function is called. No
 * effect where the process may not take the priority back (it needs CAP_SYS_NICE, or RLIMIT_NICE).
 */
export function stepBack(): () => void {
  const before = getPriority();
  if (!mayReturn(before)) return () => {};
  giveWay();
  return () => setAll(before);
}

/** The same until the end of the process. */
export function giveWay(): void {
  setAll(Math.min(LOWEST, getPriority() + STEPS));
}

/** One step of this thread is tried: should it be lost, little is lost. */
function mayReturn(priority: number): boolean {
  try {
    setPriority(Math.min(LOWEST, priority + 1));
    setPriority(priority);
    return true;
  } catch {
    return false;
  }
}

function setAll(priority: number): void {
  for (const thread of readdirSync('/proc/self/task')) setOne(Number(thread), priority);
}

/** A thread that has ended has none, and a right may be gone: nothing depends on it. */
function setOne(thread: number, priority: number): void {
  try {
    setPriority(thread, priority);
  } catch {}
}

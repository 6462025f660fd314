/**
 * A takeover where devices and tables cannot stay as they are: another number of workers, another
 * size, other devices, or a state of the version before. The old process stops and keeps an eye on
 * the new one, which converts the state and opens its devices anew. Frames are lost meanwhile,
 * connections are not.
 *
 *     old   forwards ◄─ yield ── new      stops, unlocks its state
 *           waits, without a device       converts the state, starts
 *           ends  ◄── its control socket answers
 *           starts again ◄── the new process has ended
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { whoListens } from '../api/client.js';
import type { Config } from '../config/config.js';
import { stateDirectory } from '../state/directory.js';
import { isInUse } from '../state/store.js';

const LOOK_MS = 20;
/** Time for the old process to stop, ms. */
const STOPS_MS = 15_000;

/** Resolves when no process uses the state any more. Rejects with an Error of one line. */
export async function whenFree(config: Config): Promise<void> {
  const directory = stateDirectory(config);
  const end = performance.now() + STOPS_MS;
  while (directory !== undefined && isInUse(directory)) {
    if (performance.now() > end)
      throw new Error(`no takeover: the running director did not stop in ${STOPS_MS / 1000} s`);
    await sleep(LOOK_MS);
  }
}

/** Resolves with true when process `pid` is a director that is up, with false when it has ended. */
export async function isUpOrEnded(pid: number, socket: string): Promise<boolean> {
  for (;;) {
    if ((await whoListens(socket))?.pid === pid) return true;
    if (!isAlive(pid)) return false;
    await sleep(LOOK_MS);
  }
}

/** The process is there. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

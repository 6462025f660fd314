/**
 * Where the state of a director is. Without the key `state` it is beside the control socket, where
 * that is in a tmpfs: on a disk each page that the director writes would be written back.
 *
 *     /run/ulvs/ulvs.sock  ─►  /run/ulvs/ulvs.state
 */
import { mkdirSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { type Config, NO_STATE } from '../config/config.js';

/** TMPFS_MAGIC and RAMFS_MAGIC of statfs(2). */
const IN_MEMORY = [0x01021994, 0x858458f6];

/** The directory; undefined: the state ends with the process. */
export function stateDirectory({ state, socket }: Pick<Config, 'state' | 'socket'>): string | undefined {
  if (state === NO_STATE) return undefined;
  if (state !== undefined) return state;
  const folder = path.dirname(socket);
  return isInMemory(folder) ? path.join(folder, `${path.basename(socket, '.sock')}.state`) : undefined;
}

/** The files of the directory are memory, not blocks of a disk. */
export function isInMemory(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true });
    return IN_MEMORY.includes(statfsSync(directory).type);
  } catch {
    return false;
  }
}

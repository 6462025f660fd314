/**
 * Where the state of a director is. Without the key `state` it is beside the control socket, where
 * that is in a tmpfs: on a disk each page that the director writes would be written back.
 *
 *     /run/ulvs/ulvs.sock  ─►  /run/ulvs/ulvs.state      a tmpfs of its own, where we may mount one
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { mountTmpfs } from '../../sys/libc.js';
import { type Config, NO_STATE } from '../config/config.js';

/** TMPFS_MAGIC and RAMFS_MAGIC of statfs(2). */
const IN_MEMORY = [0x01021994, 0x858458f6];
/** Whether a tmpfs may have pages of 2 MB here (Documentation/admin-guide/mm/transhuge.rst). */
const LARGE_PAGES = '/sys/kernel/mm/transparent_hugepage/shmem_enabled';
const OPTIONS = 'mode=0700,huge=advise';

/** The directory; undefined: the state ends with the process. */
export function stateDirectory({ state, socket }: Pick<Config, 'state' | 'socket'>): string | undefined {
  if (state === NO_STATE) return undefined;
  if (state !== undefined) return state;
  const folder = path.dirname(socket);
  return isInMemory(folder) ? path.join(folder, `${path.basename(socket, '.sock')}.state`) : undefined;
}

/** The files of the directory are, or would be, memory, not blocks of a disk. */
function isInMemory(directory: string): boolean {
  const parent = path.dirname(directory);
  if (!existsSync(directory) && parent !== directory) return isInMemory(parent);
  return IN_MEMORY.includes(statfsSync(directory).type);
}

/** Bytes that the file system of a directory has left. */
export function roomIn(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/**
 * Gives a new state a tmpfs of its own, whose pages may be large. Without the privilege, or where
 * the mount would end with this process's mount namespace, the directory stays what it is.
 */
export function useLargePagesFor(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (isMountPoint(directory) || readdirSync(directory).length > 0 || !isLasting()) return;
    if (existsSync(LARGE_PAGES) && !readFileSync(LARGE_PAGES, 'utf8').includes('[deny]'))
      mountTmpfs(directory, OPTIONS);
  } catch {
    // Not permitted: small pages are slower, not wrong.
  }
}

function isMountPoint(directory: string): boolean {
  return statSync(directory).dev !== statSync(path.dirname(directory)).dev;
}

/** A mount that we make stays when we end. */
function isLasting(): boolean {
  return readlinkSync('/proc/self/ns/mnt') === readlinkSync('/proc/1/ns/mnt');
}

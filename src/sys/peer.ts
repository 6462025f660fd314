/** The other end of a Unix socket, and groups. */
import { readFileSync } from 'node:fs';
import { check, getsockopt, poll } from './libc.js';

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const POLLHUP = 0x10;

/** The process at the other end, as it was when it connected (struct ucred, unix(7)). */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Throws a SystemError. */
export function peerOf(fd: number): Peer {
  const credentials = new Int32Array(32);
  check(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, Uint32Array.of(12)), 'SO_PEERCRED');
  const [pid, uid, gid] = credentials;
  return { pid: pid!, uid: uid! >>> 0, gid: gid! >>> 0 };
}

/** The other end is closed in both directions: nobody reads what is written. */
export function hasHungUp(fd: number): boolean {
  const entry = new Uint32Array(32);
  entry[0] = fd;
  return poll(entry, 1, 0) > 0 && ((entry[1]! >>> 16) & POLLHUP) !== 0;
}

/** The number of a group, given by name (/etc/group) or number; undefined: there is none. */
export function groupId(group: string): number | undefined {
  if (/^\d+$/.test(group)) return Number(group);
  const lines = readFileSync('/etc/group', 'utf8').split('\n');
  const found = lines.find((line) => line.startsWith(`${group}:`));
  return found === undefined ? undefined : Number(found.split(':')[2]);
}

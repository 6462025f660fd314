/**
 * The privileges with which `ulvs run` goes on. As root without --user it keeps all of them, so
 * that nothing changes for those who start it by hand. Another user keeps what it has, and the
 * programs that the director starts (nft, ip) get less.
 */
import { chownSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { SOCKET_DIRECTORY } from '../control/api/socket-path.js';
import { becomeUser, type Capability, endowChildren, limitChildren } from '../sys/privileges.js';
import { type UserIds, userIds } from '../sys/user.js';
import { UserError } from './guard.js';

/**
 * What the kinds of devices need, each tried without (docs/operating.md, Privileges). IPC_LOCK is
 * needed where the limit of locked memory cannot be raised.
 */
const NEEDED: readonly Capability[] = ['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_BPF', 'CAP_PERFMON', 'CAP_IPC_LOCK'];
/** What nft and ip need. */
const FOR_CHILDREN: readonly Capability[] = ['CAP_NET_ADMIN'];

/**
 * Becomes `user` if this process is root; then the program starts again from its beginning.
 * `socket`: path of the control socket, whose directory the user must be able to write. Throws a
 * UserError.
 */
export function limitPrivileges(user: string | undefined, socket: string): void {
  const own = process.geteuid!();
  const ids = user === undefined ? { uid: own, gid: 0 } : idsOf(user);
  if (ids.uid !== own && own !== 0) throw new UserError(`--user ${user}: only root may become another user`);
  if (ids.uid === 0) return;
  if (ids.uid === own) limitChildren(FOR_CHILDREN);
  else change(user!, ids, socket);
}

/** Does `work`, which starts this program again: it gets the privileges of this process. */
export function withPrivileges<T>(work: () => T): T {
  if (process.geteuid!() === 0) return work();
  endowChildren(NEEDED);
  try {
    return work();
  } finally {
    limitChildren(FOR_CHILDREN);
  }
}

function idsOf(user: string): UserIds {
  const ids = userIds(user);
  if (ids === undefined)
    throw new UserError(`--user ${user}: there is no such user; 'useradd --system ${user}' creates it`);
  return ids;
}

function change(user: string, ids: UserIds, socket: string): void {
  try {
    giveDirectory(path.dirname(socket), ids);
    becomeUser(user, ids, NEEDED);
  } catch (error) {
    throw new UserError(
      `--user ${user}: ${(error as Error).message}: root needs CAP_SETUID, CAP_SETGID, CAP_SETPCAP and CAP_CHOWN for it`,
    );
  }
}

/**
 * Gives the user the directory of the sockets, if it is the director's own or new. Another one is
 * left as it is.
 */
function giveDirectory(directory: string, { uid, gid }: UserIds): void {
  const created = mkdirSync(directory, { recursive: true }) !== undefined;
  if (created || directory === SOCKET_DIRECTORY) chownSync(directory, uid, gid);
}

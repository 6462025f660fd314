/**
 * The control socket: a Unix stream socket with lines of JSON in both directions.
 *
 *   {"v":1,"id":7,"request":{"op":"list"}}   ->   {"id":7,"reply":{"ok":true,...}}
 *   {"v":1,"id":8}                           ->   {"id":8,"pid":4711,"protocol":1,"version":"0.1.0","short":true}     who is there?
 *   anything else                            ->   {"id":null,"error":"not a line of JSON","protocol":1}
 *
 * Its mode is 0600, or 0660 with a group. A second socket may be for questions only
 * (docs/control-protocol.md).
 */
import { once } from 'node:events';
import type { BigIntStats } from 'node:fs';
import { chmod, chown, link, lstat, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { peerOf } from '../../sys/peer.js';
import { whoListens } from './client.js';
import { LIMITS } from './limits.js';
import { type Handler, Sessions } from './session.js';
import { SUN_PATH_MAX } from './socket-path.js';

export type { Handler } from './session.js';

/** An open control socket. */
export interface ControlSocket {
  readonly path: string;
  /** Removes the socket file, unless it is another process's by now. Its sessions go on. */
  withdraw(): Promise<void>;
  /** Ends all its sessions, and withdraws. */
  close(): Promise<void>;
}

/** How a socket is opened. */
export interface ServeOptions {
  /** Number of the group that may connect besides the owner. */
  readonly group?: number | undefined;
  /** Requests that change something are refused. */
  readonly readOnly?: boolean;
}

/**
 * Opens a control socket. `handler`: or the sessions of another socket, which share their limits.
 * Rejects with an Error of one line: a director listens there, or the path is not a socket or too
 * long.
 */
export async function serve(
  path: string,
  handler: Handler | Sessions,
  { group, readOnly = false }: ServeOptions = {},
): Promise<ControlSocket> {
  const sessions = handler instanceof Sessions ? handler : new Sessions(handler, LIMITS);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    welcome(socket, sessions, readOnly);
  });
  await mkdir(dirname(path), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `${dirname(path)} cannot be created (${error.code}): run as root, or name another socket with --socket`,
    );
  });
  await clear(path);
  await publish(server, path, group);
  return new OpenSocket(path, server, sockets, await identityOf(path));
}

/** A client whose credentials the kernel does not tell is sent away. */
function welcome(socket: Socket, sessions: Sessions, readOnly: boolean): void {
  const { fd } = (socket as unknown as { _handle: { fd: number } | null })._handle ?? { fd: -1 };
  try {
    sessions.add(socket, fd, peerOf(fd), readOnly);
  } catch {
    socket.destroy();
  }
}

/** Removes the socket of a dead director. */
async function clear(path: string): Promise<void> {
  const dead = await refuseInUse(path);
  if (dead !== undefined) await removeOnly(path, dead);
}

/**
 * Rejects when a director listens on the path, or it is not a socket. Resolves with
 * which file a dead director's socket is, if any.
 */
export async function refuseInUse(path: string): Promise<string | undefined> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  if (!found) return undefined;
  if (!found.isSocket()) throw new Error(`${path} is not a socket: name another path with --socket`);
  const listener = await whoListens(path);
  if (listener?.foreign) throw new Error(`${path} is another user's socket: name another one with --socket`);
  if (listener) throw inUse(path, listener.pid);
  return identity(found);
}

/**
 * Which file it is. The number of its inode is not enough: file systems give that of a removed file
 * to the next one.
 */
function identity({ ino, mtimeNs }: BigIntStats): string {
  return `${ino} ${mtimeNs}`;
}

/** Which file has this name; undefined: none. */
async function identityOf(path: string): Promise<string | undefined> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  return found && identity(found);
}

/** Removes only this socket. A director that has started in between keeps its own. */
async function removeOnly(path: string, dead: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await identityOf(aside);
  const isOther = moved !== undefined && moved !== dead;
  if (isOther) await link(aside, path);
  await rm(aside, { force: true });
  if (isOther) throw inUse(path, undefined);
}

function inUse(path: string, pid: number | undefined): Error {
  const who = pid === undefined ? 'another director' : `another director (pid ${pid})`;
  return new Error(`${who} listens on ${path}: stop it first, or name another socket with --socket`);
}

/**
 * Binds in a private directory and links the socket to its path: its mode is never wider than
 * it shall be, and of two directors that start at once only one gets the path.
 */
async function publish(server: Server, path: string, group: number | undefined): Promise<void> {
  const directory = await mkdtemp(join(dirname(path), '.ulvs'));
  const first = join(directory, 's');
  try {
    if (Buffer.byteLength(first) > SUN_PATH_MAX)
      throw new Error(`${path} is too long for a socket: use a shorter path`);
    server.listen(first);
    await once(server, 'listening');
    await chmod(first, 0o600);
    if (group !== undefined) await share(first, group);
    await link(first, path).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? inUse(path, undefined) : error;
    });
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A director that may not give the socket to the group keeps it to its own user. */
async function share(file: string, group: number): Promise<void> {
  try {
    await chown(file, -1, group);
    await chmod(file, 0o660);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}

/** Knows which file is its own, so that it removes no other director's. */
class OpenSocket implements ControlSocket {
  /** `identity`: of its file; undefined: it has none any more. */
  constructor(
    readonly path: string,
    private readonly server: Server,
    private readonly sessions: ReadonlySet<Socket>,
    private identity: string | undefined,
  ) {}

  async withdraw(): Promise<void> {
    const own = this.identity;
    this.identity = undefined;
    if (own !== undefined && (await identityOf(this.path)) === own) await rm(this.path, { force: true });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    for (const socket of this.sessions) socket.destroy();
    await closed;
    await this.withdraw();
  }
}

/**
 * The control socket: a Unix stream socket, mode 0600, with lines of JSON in both directions.
 *
 *   {"v":1,"id":7,"request":{"op":"list"}}   ->   {"id":7,"reply":{"ok":true,...}}
 *   {"v":1,"id":8}                           ->   {"id":8,"pid":4711}                who is there?
 *   anything else                            ->   {"id":null,"error":"not a line of JSON"}
 */
import { once } from 'node:events';
import { chmod, link, lstat, mkdir, mkdtemp, rename, rm, unlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { AdminReply, AdminRequest } from './api.js';
import { whoListens } from './client.js';
import { Lines } from './lines.js';
import { readEnvelope } from './schema.js';
import { SUN_PATH_MAX } from './socket-path.js';

/** Answers a request of the socket. */
export type Handler = (request: AdminRequest) => Promise<AdminReply> | AdminReply;

/** An open control socket. */
export interface ControlSocket {
  readonly path: string;
  /** Ends all sessions and removes the socket file, unless it is that of another process by now. */
  close(): Promise<void>;
}

const LINE_LIMIT = 1 << 20;

/**
 * Opens a control socket. Rejects with an Error of one line: a director listens there, or the path
 * is not a socket or too long.
 */
export async function serve(path: string, handler: Handler): Promise<ControlSocket> {
  const sessions = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sessions.add(socket);
    socket.once('close', () => sessions.delete(socket));
    socket.on('error', () => socket.destroy());
    void talk(socket, handler).catch(() => socket.destroy());
  });
  await mkdir(dirname(path), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `${dirname(path)} cannot be created (${error.code}): run as root, or name another socket with --socket`,
    );
  });
  await clear(path);
  await publish(server, path);
  const { ino } = await lstat(path);
  return { path, close: () => shut(server, sessions, { path, ino }) };
}

/** Removes the socket of a dead director. */
async function clear(path: string): Promise<void> {
  const ino = await refuseInUse(path);
  if (ino !== undefined) await removeOnly(path, ino);
}

/**
 * Rejects when a director listens on the path, or it is not a socket. Resolves with the inode of a
 * dead director's socket, if any.
 */
export async function refuseInUse(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return undefined;
  if (!found.isSocket()) throw new Error(`${path} is not a socket: name another path with --socket`);
  const listener = await whoListens(path);
  if (listener) throw inUse(path, listener.pid);
  return found.ino;
}

/** Removes the socket with this inode. A director that has started in between keeps its socket. */
async function removeOnly(path: string, ino: number): Promise<void> {
  const aside = `${path}.${process.pid}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await lstat(aside).catch(() => undefined);
  if (moved && moved.ino !== ino) await link(aside, path);
  await rm(aside, { force: true });
  if (moved && moved.ino !== ino) throw inUse(path, undefined);
}

function inUse(path: string, pid: number | undefined): Error {
  const who = pid === undefined ? 'another director' : `another director (pid ${pid})`;
  return new Error(`${who} listens on ${path}: stop it first, or name another socket with --socket`);
}

/**
 * Binds in a private directory and links the socket to its path: its mode is never other than 0600,
 * and of two directors that start at once only one gets the path.
 */
async function publish(server: Server, path: string): Promise<void> {
  const directory = await mkdtemp(join(dirname(path), '.ulvs'));
  const first = join(directory, 's');
  try {
    if (Buffer.byteLength(first) > SUN_PATH_MAX)
      throw new Error(`${path} is too long for a socket: use a shorter path`);
    server.listen(first);
    await once(server, 'listening');
    await chmod(first, 0o600);
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

async function shut(
  server: Server,
  sessions: Set<Socket>,
  { path, ino }: { path: string; ino: number },
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  for (const socket of sessions) socket.destroy();
  await closed;
  const now = await lstat(path).catch(() => undefined);
  if (now?.ino === ino) await unlink(path);
}

/**
 * One session: requests are answered in turn, and not read faster than the client reads the
 * answers.
 */
async function talk(socket: Socket, handler: Handler): Promise<void> {
  const lines = new Lines(LINE_LIMIT);
  for await (const chunk of socket) {
    const complete = lines.push(chunk as Buffer);
    if (!complete) {
      socket.end(`${JSON.stringify({ id: null, error: `a line is longer than ${LINE_LIMIT} characters` })}\n`);
      return;
    }
    for (const line of complete) await send(socket, await answer(line, handler));
  }
  socket.end();
}

/** The answer to a line, without its newline. */
async function answer(line: string, handler: Handler): Promise<string> {
  const envelope = readEnvelope(line);
  if ('problem' in envelope) return JSON.stringify({ id: null, error: envelope.problem });
  const { id, request } = envelope;
  if (!request) return JSON.stringify({ id, pid: process.pid });
  try {
    return JSON.stringify({ id, reply: await handler(request) });
  } catch (error) {
    return JSON.stringify({
      id,
      error: `the director failed: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
}

async function send(socket: Socket, line: string): Promise<void> {
  if (socket.destroyed || socket.write(`${line}\n`)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

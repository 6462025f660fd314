/**
 * The path of the control socket. The kernel's IPVS has a table for each network namespace, so each
 * namespace has a default socket of its own:
 *
 *     the namespace of process 1      /run/ulvs/ulvs.sock
 *     any other one                   /run/ulvs/net-INODE.sock, INODE as in `ls -Li /proc/self/ns/net`
 */
import { existsSync, readdirSync, statSync } from 'node:fs';

/**
 * Longest path of a Unix socket in bytes: sun_path of struct sockaddr_un (108) without its final
 * zero; unix(7).
 */
export const SUN_PATH_MAX = 107;

/** The directory of the default sockets. */
export const SOCKET_DIRECTORY = '/run/ulvs';
/** The default socket in the network namespace of process 1, and its name in documents. */
export const MAIN_SOCKET = `${SOCKET_DIRECTORY}/ulvs.sock`;

/** Each lab has a folder here, with its sockets. */
export const LABS_DIRECTORY = '/run/ulvs-lab';

/** The path of the control socket, where nothing names another one, in this network namespace. */
export function defaultSocket(): string {
  if (networkOf('self') === networkOf('1')) return MAIN_SOCKET;
  return `${SOCKET_DIRECTORY}/net-${statSync('/proc/self/ns/net').ino}.sock`;
}

/**
 * A number that is the same for all processes of a network namespace: the inode of one of its files
 * below /proc, which every user may see. Only root may read /proc/1/ns/net. Where /proc hides other
 * processes, all count as being in the namespace of process 1.
 */
function networkOf(pid: string): number | undefined {
  const file = (of: string) => statSync(`/proc/${of}/net/dev`, { throwIfNoEntry: false })?.ino;
  return file(pid) ?? file('self');
}

/**
 * Control sockets that are there besides `socket`: of directors in other network namespaces, and of
 * labs.
 */
export function otherSockets(socket: string): string[] {
  const own = filesOf(SOCKET_DIRECTORY).filter((file) => file.endsWith('.sock') && !file.endsWith('-ro.sock'));
  const labs = filesOf(LABS_DIRECTORY).map((folder) => `${folder}/ulvs.sock`);
  return [...labs.filter((file) => existsSync(file)), ...own].filter((file) => file !== socket);
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => `${folder}/${name}`);
  } catch {
    return [];
  }
}

/** The path of the socket for questions only: `ulvs.sock` becomes `ulvs-ro.sock`. */
export function readersSocket(socket: string): string {
  return socket.endsWith('.sock') ? `${socket.slice(0, -'.sock'.length)}-ro.sock` : `${socket}-ro`;
}

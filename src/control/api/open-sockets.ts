/** Opens the control sockets of a configuration: that for changes, and that for readers. */
import { groupId } from '../../sys/peer.js';
import type { Config } from '../config/config.js';
import { LIMITS } from './limits.js';
import { type Handler, Sessions } from './session.js';
import { type ControlSocket, serve } from './socket.js';
import { readersSocket } from './socket-path.js';

/** Pushes each socket to `opened` as soon as it is open. Rejects as `serve`. */
export async function openSockets(
  { socket, socketGroup, socketReaders }: Pick<Config, 'socket' | 'socketGroup' | 'socketReaders'>,
  handler: Handler,
  opened: ControlSocket[],
): Promise<void> {
  const sessions = new Sessions(handler, LIMITS);
  opened.push(await serve(socket, sessions, { group: groupId(socketGroup) }));
  const readers = groupId(socketReaders);
  if (readers !== undefined)
    opened.push(await serve(readersSocket(socket), sessions, { group: readers, readOnly: true }));
}

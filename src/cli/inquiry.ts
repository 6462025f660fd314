/** What commands share that ask a running director over its control socket. */
import { Option } from 'commander';
import type { AdminClient } from '../control/api/api.js';
import { SocketClient } from '../control/api/client.js';
import { defaultSocket, MAIN_SOCKET } from '../control/api/socket-path.js';

export function socketOption(): Option {
  return new Option('--socket <path>', 'the control socket; ULVS_SOCKET names another default').default(
    process.env.ULVS_SOCKET || defaultSocket(),
    MAIN_SOCKET,
  );
}

/** Runs `work` with a client of the director on `socket`, then closes the client. */
export async function withDirector<T>(
  socket: string,
  work: (client: AdminClient) => Promise<T>,
  deadlineMs?: number,
): Promise<T> {
  const client = new SocketClient(socket, deadlineMs);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

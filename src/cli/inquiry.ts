/** Commands that ask a running director something over its control socket. */
import { Option } from 'commander';
import type { AdminClient, AdminReply, AdminRequest } from '../control/api/api.js';
import { DEFAULT_SOCKET, SocketClient } from '../control/api/client.js';
import { UserError } from './guard.js';

export type Answer = Extract<AdminReply, { ok: true }>;

export function socketOption(): Option {
  return new Option('--socket <path>', 'the control socket').default(process.env.ULVS_SOCKET || DEFAULT_SOCKET);
}

/** Runs `work` with a client of the director that listens on `socket`. */
export async function withDirector<T>(socket: string, work: (client: AdminClient) => Promise<T>): Promise<T> {
  const client = new SocketClient(socket);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** A refusal is the user's mistake: a UserError with the director's words. */
export async function ask(client: AdminClient, request: AdminRequest): Promise<Answer> {
  const reply = await client.request(request);
  if (reply.ok) return reply;
  throw new UserError(reply.text ?? `the director answered ${reply.errno}`);
}

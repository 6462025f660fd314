/** One question to a director, and its answer or its refusal. */
import type { AdminClient, AdminReply, AdminRequest } from './api.js';

export type Answer = Extract<AdminReply, { ok: true }>;

/** The director refused a request; the message is its reason in one line. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/**
 * Throws a RefusedError where the director refuses; whatever the client throws when it cannot ask
 * passes through.
 */
export async function ask(client: AdminClient, request: AdminRequest): Promise<Answer> {
  const reply = await client.request(request);
  if (reply.ok) return reply;
  throw new RefusedError(reply.text ?? `the director answered ${reply.errno}`);
}

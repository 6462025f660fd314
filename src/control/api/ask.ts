/** A request with its answer, for callers that treat a refusal as an error. */
import type { AdminClient, AdminReply, AdminRequest } from './api.js';

/** A reply that is not a refusal. */
export type Answer = Extract<AdminReply, { ok: true }>;

/** The director has refused a request; the message is the reason, one line. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** Rejects with a RefusedError when the director refuses, and with the errors of the client. */
export async function ask(client: AdminClient, request: AdminRequest): Promise<Answer> {
  const reply = await client.request(request);
  if (reply.ok) return reply;
  throw new RefusedError(reply.text ?? `the director answered ${reply.errno}`);
}

/** One run of ulvsadm, and its requests to the director. */
import type { AdminClient, AdminReply, AdminRequest } from '../control/api/api.js';
import { Exit, sentence } from './errors.js';
import type { Names } from './names.js';

export interface Run {
  readonly client: AdminClient;
  readonly stdin: () => Promise<string> | string;
  readonly program: string;
  readonly names: Names;
  readonly json: boolean;
  out: string;
  err: string;
}

type Ok = Extract<AdminReply, { ok: true }>;

/** Sends a request. If the director does not answer, the command ends with exit code 2. */
export async function ask(run: Run, request: AdminRequest): Promise<AdminReply> {
  try {
    return await run.client.request(request);
  } catch (error) {
    throw new Exit(2, `${run.program}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** As `ask`; a refusal ends the command with exit code 1. */
export async function mustAsk(run: Run, request: AdminRequest): Promise<Ok> {
  const reply = await ask(run, request);
  if (reply.ok) return reply;
  throw new Exit(1, sentence(request.op, reply.errno));
}

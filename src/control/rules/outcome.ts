/** What the rule table is asked, and what it answers. */
import type { AdminReply, AdminRequest, ChangeRequest, Errno } from '../api/api.js';
import type { Action } from './actions.js';

/** Requests that the rule table answers. */
export type RulesRequest = ChangeRequest | Extract<AdminRequest, { op: 'getTimeouts' | 'list' }>;

/** The answer to a request. */
export interface Outcome {
  reply: AdminReply;
  /** For the dataplane, in order; empty for a refused request or a question. */
  actions: Action[];
  /** What a state keeps, where health makes it another thing than the actions. */
  kept?: Action[];
}

const OK: AdminReply = { ok: true };

export function accepted(actions: Action[]): Outcome {
  return { reply: OK, actions };
}

/** `text`: one line, where the errno does not say enough. */
export function refused(errno: Errno, text?: string): Outcome {
  return { reply: { ok: false, errno, ...(text === undefined ? {} : { text }) }, actions: [] };
}

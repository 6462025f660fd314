/**
 * Requests that a director refuses while another process takes over: what it has must stay as it
 * is.
 */
import type { AdminReply, AdminRequest } from '../api/api.js';
import { READING } from '../api/reading.js';

/** A trace keeps nothing that a successor needs; the takeover goes on by its own requests. */
const ANSWERED: ReadonlySet<AdminRequest['op']> = new Set([
  ...READING,
  'traceStart',
  'tracePoll',
  'traceStop',
  'takeover',
]);

const REFUSAL: AdminReply = {
  ok: false,
  errno: 'EPERM',
  text: 'another process takes over from this director: ask again in a moment',
};

/** The refusal; undefined: the request changes nothing. */
export function refusedMeanwhile({ op }: AdminRequest): AdminReply | undefined {
  return ANSWERED.has(op) ? undefined : REFUSAL;
}

/**
 * Requests that a director refuses while another process takes over: what it has must stay as it
 * is.
 */
import type { AdminReply, AdminRequest } from '../api/api.js';

const CHANGES: ReadonlySet<string> = new Set([
  'addService',
  'editService',
  'deleteService',
  'addDestination',
  'editDestination',
  'deleteDestination',
  'flush',
  'zero',
  'setTimeouts',
  'batch',
  'setSysctl',
  'drain',
  'withdraw',
  'startDaemon',
  'stopDaemon',
  'reload',
]);

const REFUSAL: AdminReply = {
  ok: false,
  errno: 'EPERM',
  text: 'another process takes over from this director: ask again in a moment',
};

/** The refusal; undefined: the request changes nothing. */
export function refusedMeanwhile({ op }: AdminRequest): AdminReply | undefined {
  return CHANGES.has(op) ? REFUSAL : undefined;
}

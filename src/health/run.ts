/**
 * Runs one check under its total deadline. The deadline ends every check, also one whose code never
 * answers: a server that sends a byte now and then does not defeat it.
 */

import { CHECKERS } from './checkers/index.js';
import type { Passive } from './passive.js';
import type { Check, Outcome, ProbeType, Target } from './spec.js';

/** Why a check is ended. One for all: an error with its stack is dear. */
const OVER = new Error('the check is over');

/** Resolves with the answer; never rejects. */
export async function runCheck(target: Target, check: Check, passive: Passive | undefined): Promise<Outcome> {
  if (check.type === 'passive')
    return passive?.look(target, check, performance.now()) ?? { ok: true, text: 'no dataplane' };
  const end = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => {
      resolve({ ok: false, text: `no good answer within ${check.timeout / 1000} s` });
      end.abort(OVER);
    }, check.timeout);
  });
  try {
    return await Promise.race([late, attempt(target, check, check.type, end.signal)]);
  } finally {
    clearTimeout(timer);
    // Ends what the check has left open.
    end.abort(OVER);
  }
}

async function attempt(target: Target, check: Check, type: ProbeType, signal: AbortSignal): Promise<Outcome> {
  try {
    const port = check.port || target.port;
    const address = type === 'icmp' ? target.pinged : target.address;
    return await CHECKERS[type].run({ address, port, name: target.name }, check, signal);
  } catch (error) {
    return { ok: false, text: reasonOf(error) };
  }
}

/** Why a check failed, one line. */
function reasonOf(error: unknown): string {
  const { code = '', message, cause } = error as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException };
  const words = WORDS[code] ?? WORDS[cause?.code ?? ''];
  return (words ?? (cause?.message || message || code || 'failed')).split('\n')[0]!;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'connection timed out',
  UND_ERR_SOCKET: 'the connection was closed before the answer was complete',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed',
};

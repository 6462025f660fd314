/**
 * What the director sees of TCP handshakes, counted by destination for passive health checks. Only
 * segments of a handshake come here: the fast path keeps the others.
 *
 *     SYN ──► SYN_RECV ─┬─ ACK of the client ──────────► answered
 *                       ├─ RST of the destination ─────► refused
 *                       └─ the SYN again, or the end of
 *                          the timer, and no SYN,ACK ──► unanswered
 *
 * Of DR and tunnel connections no SYN,ACK is seen. There only a repeated SYN counts: a flood of
 * forged SYNs must not take a real server out.
 */
import type { Destination } from '../service/service.js';
import { Gauge } from '../stats/counters.js';
import { RST, SYN } from '../wire/tcp.js';
import { CONN_ANSWERED, CONN_NOOUTPUT, CONN_TEMPLATE, FLAGS } from './entry.js';
import { Tcp } from './tcp.js';

/**
 * A segment of a connection that was in SYN_RECV. `at`: its first word; `isOutput`: of the
 * destination; `state`: the state after it.
 */
export function noteHandshake(
  words: Int32Array,
  at: number,
  dest: Destination | undefined,
  isOutput: boolean,
  flags: number,
  state: number,
): void {
  if (state === Tcp.ESTABLISHED) dest?.add(Gauge.answered, 1);
  else if (isOutput && (flags & RST) !== 0) dest?.add(Gauge.refused, 1);
  else if ((flags & SYN) === 0) return;
  else if (isOutput) words[at + FLAGS]! |= CONN_ANSWERED;
  else if ((words[at + FLAGS]! & CONN_ANSWERED) === 0) dest?.add(Gauge.unanswered, 1);
}

/** The timer of a connection in SYN_RECV has ended. */
export function noteSilence(flags: number, dest: Destination | undefined): void {
  if ((flags & (CONN_ANSWERED | CONN_NOOUTPUT | CONN_TEMPLATE)) === 0) dest?.add(Gauge.unanswered, 1);
}

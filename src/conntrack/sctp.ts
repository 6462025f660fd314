/**
 * The SCTP states of ip_vs_proto_sctp.c, in the columns of the kernel. The event is the type of the
 * first chunk. A COOKIE-ECHO or COOKIE-ACK followed by an ABORT counts as ABORT. Unknown types
 * count as data.
 */
import { stateTable } from './state-table.js';

/** Names, in the order of their numbers. */
export const SCTP_STATES = [
  'NONE',
  'INIT1',
  'INIT',
  'C-SENT',
  'C-REPLIED',
  'C-WAIT',
  'COOKIE',
  'C-ECHOED',
  'ESTABLISHED',
  'S-SENT',
  'S-RECEIVED',
  'S-ACK-SENT',
  'REJECTED',
  'CLOSED',
] as const;
const SHORT = ['sNO', 'sI1', 'sIN', 'sCS', 'sCR', 'sCW', 'sCO', 'sCE', 'sES', 'sSS', 'sSR', 'sSA', 'sRJ', 'sCL'];

/** Numbers of the states that code refers to. */
export const Sctp = {
  NONE: 0,
  INIT1: 1,
  INIT: 2,
  ESTABLISHED: 8,
  SHUTDOWN_SENT: 9,
  SHUTDOWN_RECEIVED: 10,
  SHUTDOWN_ACK_SENT: 11,
  REJECTED: 12,
  CLOSED: 13,
} as const;

/** Timeouts in seconds, in the order of SCTP_STATES. */
export const SCTP_TIMEOUTS: readonly number[] = [2, 4, 61, 61, 61, 61, 61, 61, 900, 61, 61, 61, 4, 61];

const TABLE = stateTable(
  SHORT,
  `
/*  INPUT */
/*          sNO, sI1, sIN, sCS, sCR, sCW, sCO, sCE, sES, sSS, sSR, sSA, sRJ, sCL */
/* data */  sES, sI1, sIN, sCS, sCR, sCW, sCO, sCE, sES, sSS, sSR, sSA, sRJ, sCL
/* init */  sI1, sIN, sIN, sCS, sCR, sCW, sCO, sCE, sES, sSS, sSR, sSA, sIN, sIN
/* iack */  sCW, sCW, sCW, sCS, sCR, sCO, sCO, sCE, sES, sSS, sSR, sSA, sRJ, sCL
/* cech */  sCR, sIN, sIN, sCR, sCR, sCW, sCO, sCE, sES, sSS, sSR, sSA, sRJ, sCL
/* cack */  sES, sI1, sIN, sCS, sCR, sCW, sCO, sES, sES, sSS, sSR, sSA, sRJ, sCL
/* shut */  sSR, sI1, sIN, sCS, sCR, sCW, sCO, sCE, sSR, sSS, sSR, sSA, sRJ, sCL
/* sack */  sCL, sIN, sIN, sCS, sCR, sCW, sCO, sCE, sES, sCL, sSR, sCL, sRJ, sCL
/* scom */  sCL, sCL, sCL, sCS, sCR, sCW, sCO, sCE, sES, sSS, sSR, sCL, sRJ, sCL
/* err  */  sCL, sI1, sIN, sCS, sCR, sCW, sCO, sCL, sES, sSS, sSR, sSA, sRJ, sCL
/* abrt */  sCL, sCL, sCL, sCL, sCL, sRJ, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL
/*  OUTPUT */
/* data */  sES, sI1, sIN, sCS, sCR, sCW, sCO, sCE, sES, sSS, sSR, sSA, sRJ, sCL
/* init */  sCW, sCW, sCW, sCW, sCW, sCW, sCW, sCW, sES, sCW, sCW, sCW, sCW, sCW
/* iack */  sCS, sCS, sCS, sCS, sCR, sCW, sCO, sCE, sES, sSS, sSR, sSA, sRJ, sCL
/* cech */  sCE, sCE, sCE, sCE, sCE, sCE, sCE, sCE, sES, sSS, sSR, sSA, sRJ, sCL
/* cack */  sES, sES, sES, sES, sES, sES, sES, sES, sES, sSS, sSR, sSA, sRJ, sCL
/* shut */  sSS, sSS, sSS, sSS, sSS, sSS, sSS, sSS, sSS, sSS, sSR, sSA, sRJ, sCL
/* sack */  sSA, sSA, sSA, sSA, sSA, sCW, sCO, sCE, sES, sSA, sSA, sSA, sRJ, sCL
/* scom */  sCL, sI1, sIN, sCS, sCR, sCW, sCO, sCE, sES, sSS, sSR, sSA, sRJ, sCL
/* err  */  sCL, sCL, sCL, sCL, sCL, sCW, sCO, sCE, sES, sSS, sSR, sSA, sRJ, sCL
/* abrt */  sCL, sRJ, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL
/*  INPUT-ONLY */
/* data */  sES, sI1, sIN, sCS, sCR, sES, sCO, sCE, sES, sSS, sSR, sSA, sRJ, sCL
/* init */  sI1, sIN, sIN, sIN, sIN, sIN, sCO, sCE, sES, sSS, sSR, sSA, sIN, sIN
/* iack */  sCE, sCE, sCE, sCE, sCE, sCE, sCO, sCE, sES, sSS, sSR, sSA, sRJ, sCL
/* cech */  sES, sES, sES, sES, sES, sES, sCO, sCE, sES, sSS, sSR, sSA, sRJ, sCL
/* cack */  sES, sI1, sIN, sES, sES, sCW, sES, sES, sES, sSS, sSR, sSA, sRJ, sCL
/* shut */  sSR, sI1, sIN, sCS, sCR, sCW, sCO, sCE, sSR, sSS, sSR, sSA, sRJ, sCL
/* sack */  sCL, sIN, sIN, sCS, sCR, sCW, sCO, sCE, sCL, sCL, sSR, sCL, sRJ, sCL
/* scom */  sCL, sCL, sCL, sCL, sCL, sCW, sCO, sCE, sES, sSS, sCL, sCL, sRJ, sCL
/* err  */  sCL, sI1, sIN, sCS, sCR, sCW, sCO, sCE, sES, sSS, sSR, sSA, sRJ, sCL
/* abrt */  sCL, sCL, sCL, sCL, sCL, sRJ, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL
`,
);

const EVENTS = 10;
const DATA = 0;
const ABORT = 9;
/** Event by chunk type (RFC 9260, 3.2). Other types are data. */
const EVENT_OF_CHUNK: Readonly<Record<number, number>> = {
  1: 1,
  2: 2,
  10: 3,
  11: 4,
  7: 5,
  8: 6,
  14: 7,
  9: 8,
  6: ABORT,
};
const COOKIE_ECHO = 10;
const COOKIE_ACK = 11;

/** The state after a packet. `chunk`, `second`: types of the first two chunks, −1: absent. */
export function nextSctpState(state: number, direction: number, chunk: number, second: number): number {
  const cookie = chunk === COOKIE_ECHO || chunk === COOKIE_ACK;
  const event = cookie && second === 6 ? ABORT : (EVENT_OF_CHUNK[chunk] ?? DATA);
  return TABLE[(direction * EVENTS + event) * SCTP_STATES.length + state]!;
}

/** A connection in this state counts as active. */
export function sctpActive(state: number): boolean {
  return state === Sctp.ESTABLISHED;
}

/**
 * The TCP states of ip_vs_proto_tcp.c, in the columns of the kernel, for comparison by eye.
 *
 *      direction x event x state -> next state
 *
 * INPUT: a packet of the client. OUTPUT: a packet of the destination. INPUT_ONLY: a packet of the
 * client while the director has seen no packet of the destination (DR, Tun). The event is the first
 * of RST, SYN, FIN, ACK that is set; with none of them the next state is CLOSE.
 */
import { ACK, FIN, RST, SYN } from '../wire/tcp.js';
import { stateTable } from './state-table.js';

/** Names, in the order of their numbers. */
export const TCP_STATES = [
  'NONE',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'SYNACK',
] as const;
const SHORT = ['sNO', 'sES', 'sSS', 'sSR', 'sFW', 'sTW', 'sCL', 'sCW', 'sLA', 'sLI', 'sSA'];

export const Tcp = {
  NONE: 0,
  ESTABLISHED: 1,
  SYN_SENT: 2,
  SYN_RECV: 3,
  FIN_WAIT: 4,
  TIME_WAIT: 5,
  CLOSE: 6,
  CLOSE_WAIT: 7,
  LAST_ACK: 8,
  LISTEN: 9,
  SYNACK: 10,
} as const;

/** Default timeouts in seconds, in the order of TCP_STATES. */
export const TCP_TIMEOUTS: readonly number[] = [2, 900, 120, 60, 120, 120, 10, 60, 30, 120, 120];

/** States in which a connection counts as active. */
const ACTIVE: readonly boolean[] = TCP_STATES.map((name) =>
  ['ESTABLISHED', 'SYN_SENT', 'SYN_RECV', 'SYNACK'].includes(name),
);

const NORMAL = stateTable(
  SHORT,
  `
/*  INPUT */
/*        sNO, sES, sSS, sSR, sFW, sTW, sCL, sCW, sLA, sLI, sSA */
/*syn*/   sSR, sES, sES, sSR, sSR, sSR, sSR, sSR, sSR, sSR, sSR
/*fin*/   sCL, sCW, sSS, sTW, sTW, sTW, sCL, sCW, sLA, sLI, sTW
/*ack*/   sES, sES, sSS, sES, sFW, sTW, sCL, sCW, sCL, sLI, sES
/*rst*/   sCL, sCL, sCL, sSR, sCL, sCL, sCL, sCL, sLA, sLI, sSR
/*  OUTPUT */
/*syn*/   sSS, sES, sSS, sSR, sSS, sSS, sSS, sSS, sSS, sLI, sSR
/*fin*/   sTW, sFW, sSS, sTW, sFW, sTW, sCL, sTW, sLA, sLI, sTW
/*ack*/   sES, sES, sSS, sES, sFW, sTW, sCL, sCW, sLA, sES, sES
/*rst*/   sCL, sCL, sSS, sCL, sCL, sTW, sCL, sCL, sCL, sCL, sCL
/*  INPUT-ONLY */
/*syn*/   sSR, sES, sES, sSR, sSR, sSR, sSR, sSR, sSR, sSR, sSR
/*fin*/   sCL, sFW, sSS, sTW, sFW, sTW, sCL, sCW, sLA, sLI, sTW
/*ack*/   sES, sES, sSS, sES, sFW, sTW, sCL, sCW, sCL, sLI, sES
/*rst*/   sCL, sCL, sCL, sSR, sCL, sCL, sCL, sCL, sLA, sLI, sCL
`,
);

/** The table of secure_tcp (tcp_states_dos): an answered SYN does not get a long timeout yet. */
const SECURE = stateTable(
  SHORT,
  `
/*  INPUT */
/*        sNO, sES, sSS, sSR, sFW, sTW, sCL, sCW, sLA, sLI, sSA */
/*syn*/   sSR, sES, sES, sSR, sSR, sSR, sSR, sSR, sSR, sSR, sSA
/*fin*/   sCL, sCW, sSS, sTW, sTW, sTW, sCL, sCW, sLA, sLI, sSA
/*ack*/   sES, sES, sSS, sSR, sFW, sTW, sCL, sCW, sCL, sLI, sSA
/*rst*/   sCL, sCL, sCL, sSR, sCL, sCL, sCL, sCL, sLA, sLI, sCL
/*  OUTPUT */
/*syn*/   sSS, sES, sSS, sSA, sSS, sSS, sSS, sSS, sSS, sLI, sSA
/*fin*/   sTW, sFW, sSS, sTW, sFW, sTW, sCL, sTW, sLA, sLI, sTW
/*ack*/   sES, sES, sSS, sES, sFW, sTW, sCL, sCW, sLA, sES, sES
/*rst*/   sCL, sCL, sSS, sCL, sCL, sTW, sCL, sCL, sCL, sCL, sCL
/*  INPUT-ONLY */
/*syn*/   sSA, sES, sES, sSR, sSA, sSA, sSA, sSA, sSA, sSA, sSA
/*fin*/   sCL, sFW, sSS, sTW, sFW, sTW, sCL, sCW, sLA, sLI, sTW
/*ack*/   sES, sES, sSS, sES, sFW, sTW, sCL, sCW, sCL, sLI, sES
/*rst*/   sCL, sCL, sCL, sSR, sCL, sCL, sCL, sCL, sLA, sLI, sCL
`,
);

const EVENTS = 4;
const STATES = TCP_STATES.length;

/** The state after a segment. `direction`: as of Direction. `flags`: the TCP flags byte. */
export function nextTcpState(state: number, direction: number, flags: number, secure: boolean): number {
  const event = eventOf(flags);
  if (event < 0) return Tcp.CLOSE;
  return (secure ? SECURE : NORMAL)[(direction * EVENTS + event) * STATES + state]!;
}

/** Row of the table for the flags; −1: none of the four is set. */
function eventOf(flags: number): number {
  if ((flags & RST) !== 0) return 3;
  if ((flags & SYN) !== 0) return 0;
  if ((flags & FIN) !== 0) return 1;
  if ((flags & ACK) !== 0) return 2;
  return -1;
}

/** A connection in this state counts as active. */
export function tcpActive(state: number): boolean {
  return ACTIVE[state]!;
}

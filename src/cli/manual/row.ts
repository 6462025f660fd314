/** What a row of the manual holds, and what many rows say. */
import { MAIN_SOCKET, SOCKET_DIRECTORY } from '../../control/api/socket-path.js';

/** A name and its meaning. */
export type Fact = readonly [name: string, text: string];

export interface Manual {
  /** The meaning of each exit code, from 0; '' for a code that never occurs. */
  readonly exit: readonly string[];
  readonly signals?: readonly Fact[];
  readonly files?: readonly Fact[];
  readonly examples?: readonly Fact[];
}

/** Rows by the words after `ulvs`. */
export type Rows = Readonly<Record<string, Manual>>;

export const MISTAKE = 'a mistake on the command line';
export const ASKED = ['the director answered', 'no director listens on the control socket, or the connection broke'];
export const ABORT: readonly Fact[] = [['SIGINT, SIGTERM, SIGHUP', 'stop, take down what was built, exit with 1']];
export const OTHER_SOCKET: Fact = [
  `${SOCKET_DIRECTORY}/net-INODE.sock`,
  'the same in another network namespace than that of process 1; INODE as shown by ls -Li /proc/self/ns/net',
];
export const SOCKET: readonly Fact[] = [
  [MAIN_SOCKET, 'the control socket, if neither --socket nor ULVS_SOCKET names another'],
  OTHER_SOCKET,
];

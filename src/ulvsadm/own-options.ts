/** The options of ulvsadm that ipvsadm does not have: --json and --socket. */
import { defaultSocket } from '../control/api/socket-path.js';

/**
 * The values of these options, and the command line without them. Options after `--` are not taken.
 */
export interface OwnOptions {
  readonly argv: readonly string[];
  readonly socket: string;
  readonly json: boolean;
}

/**
 * Takes the options out of the words. The socket defaults to $ULVS_SOCKET, then to the usual path.
 * Throws an Error if --socket has no path.
 */
export function takeOwnOptions(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): OwnOptions {
  const end = words.indexOf('--');
  const before = [...(end < 0 ? words : words.slice(0, end))];
  const after = end < 0 ? [] : words.slice(end);
  const argv: string[] = [];
  let socket = environment.ULVS_SOCKET || defaultSocket();
  let json = false;
  for (let word = before.shift(); word !== undefined; word = before.shift()) {
    if (word === '--json') json = true;
    else if (word === '--socket') socket = before.shift() ?? '';
    else if (word.startsWith('--socket=')) socket = word.slice('--socket='.length);
    else argv.push(word);
  }
  if (socket === '') throw new Error('--socket needs a path, for example --socket /run/ulvs/ulvs.sock');
  return { argv: [...argv, ...after], socket, json };
}

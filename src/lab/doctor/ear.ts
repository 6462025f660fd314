/** tcpdump on every device of a host, for packets from and to the ports that are the doctor's own. */
import { spawn } from 'node:child_process';
import type { HostFacts } from './site.js';

/** Above what load programs use, below the kernel's own choices. */
export const FIRST_PORT = 31_000;
export const PORTS = 1000;
/** The last of them: on a box, for the way through the director. */
export const ROOM = 400;

export const LAST_PORT = FIRST_PORT + PORTS - 1;
const RANGE = `${FIRST_PORT}-${LAST_PORT}`;
/** Inside IPIP the ports are where pcap does not look for them. */
export const TUNNELLED = `(ip[9] = 4 and ip[40:2] >= ${FIRST_PORT} and ip[40:2] <= ${LAST_PORT})`;

/** What a host saw of a connection. */
export interface Hop {
  readonly host: string;
  readonly syn: boolean;
  readonly answer: boolean;
  /** The answer's checksum was wrong, or not there yet. */
  readonly incorrect: boolean;
}

/** Ends the capture; then what was heard of the connection with that port. */
export type Ear = () => Promise<(own: number) => Hop>;

export function hear({ name, namespace }: Pick<HostFacts, 'name' | 'namespace'>): Ear {
  const words = ['-i', 'any', '-nn', '-l', '-v', '--immediate-mode', `tcp portrange ${RANGE} or ${TUNNELLED}`];
  const child = spawn('ip', ['netns', 'exec', namespace, 'tcpdump', ...words], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  child.on('error', () => {});
  return async () => {
    child.kill('SIGTERM');
    const lines = text.replace(/\n\s+/g, ' ').split('\n');
    return (own) =>
      heard(
        name,
        lines.filter((line) => line.includes(`.${own} >`) || line.includes(`.${own}: `)),
      );
  };
}

function heard(host: string, lines: readonly string[]): Hop {
  const answers = lines.filter((line) => /Flags \[(S\.|R)/.test(line));
  return {
    host,
    syn: lines.some((line) => line.includes('Flags [S]')),
    answer: answers.length > 0,
    incorrect: answers.some((line) => line.includes('incorrect')),
  };
}

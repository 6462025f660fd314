/** tcpdump on every device of a host, for packets from and to the ports that are the doctor's own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostFacts } from './facts.js';

/** Above what load programs use, below the kernel's own choices. */
export const FIRST_PORT = 31_000;
export const PORTS = 1000;
/** The last of them: on a box, for the way through the director. */
export const ROOM = 400;

const LAST_PORT = FIRST_PORT + PORTS - 1;
/** Inside IPIP the ports are where pcap does not look for them. */
const TUNNELLED = `ip[9] = 4 and ip[40:2] >= ${FIRST_PORT} and ip[40:2] <= ${LAST_PORT}`;
/** In pcap's words. */
export const OURS = `(tcp portrange ${FIRST_PORT}-${LAST_PORT}) or (${TUNNELLED})`;

const WORDS = ['-i', 'any', '-nn', '-l', '-v', '-Z', 'root', '--immediate-mode'];
const START_MS = 3000;

export class Ear {
  private text = '';
  private said = '';
  private ended = false;

  private constructor(private readonly child: ChildProcess) {
    child.stdout!.on('data', (chunk: Buffer) => (this.text += chunk));
    child.stderr!.on('data', (chunk: Buffer) => (this.said += chunk));
    child.on('error', () => (this.ended = true)).on('exit', () => (this.ended = true));
  }

  /** Resolves when it listens; undefined where there is no tcpdump that does. `namespace` '': here. `words`: more for tcpdump. */
  static async open(namespace: string, ...words: readonly string[]): Promise<Ear | undefined> {
    const place = namespace ? ['ip', 'netns', 'exec', namespace] : [];
    const [file, ...rest] = [...place, 'tcpdump', ...WORDS, ...words] as [string, ...string[]];
    const ear = new Ear(spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'] }));
    for (const end = Date.now() + START_MS; Date.now() < end && !ear.ended; await sleep(20))
      if (ear.said.includes('listening on')) return ear;
    ear.close();
    return undefined;
  }

  /** A packet each, in order: all so far. */
  get lines(): string[] {
    return this.text.replace(/\n\s+/g, ' ').split('\n');
  }

  close(): void {
    this.child.kill('SIGTERM');
  }
}

/** What a host saw of a connection. */
export interface Hop {
  readonly host: string;
  readonly syn: boolean;
  readonly answer: boolean;
  /** The answer's checksum was wrong, or not there yet. */
  readonly incorrect: boolean;
}

/** Ends the capture; then what was heard of the connection with that port. */
export type Hearing = () => (own: number) => Hop;

/** Resolves when it listens; where it cannot, nothing is heard. */
export async function hear({ name, namespace }: Pick<HostFacts, 'name' | 'namespace'>): Promise<Hearing> {
  const ear = await Ear.open(namespace, OURS);
  return () => {
    ear?.close();
    const lines = ear?.lines ?? [];
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

/**
 * Live capture by tcpdump, on every device of a host, of packets from and to the doctor's own
 * ports.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostFacts } from './facts.js';

/**
 * The first of the doctor's ports: above the ports of the lab's clients (10000 and up), below the
 * kernel's ephemeral ports (32768 and up).
 */
export const FIRST_PORT = 31_000;
export const PORTS = 1000;
/**
 * How many of the last ports are kept for SYNs through the director (probe/through-director.ts).
 */
export const THROUGH_PORTS = 400;

const LAST_PORT = FIRST_PORT + PORTS - 1;
/** Inside IPIP the ports are at an offset that pcap's `portrange` does not look at. */
const TUNNELLED = `ip[9] = 4 and ip[40:2] >= ${FIRST_PORT} and ip[40:2] <= ${LAST_PORT}`;
/** A pcap filter for the doctor's ports. */
export const OUR_PORTS = `(tcp portrange ${FIRST_PORT}-${LAST_PORT}) or (${TUNNELLED})`;

const ARGUMENTS = ['-i', 'any', '-nn', '-l', '-v', '-Z', 'root', '--immediate-mode'];
const START_MS = 3000;

export class LiveCapture {
  private text = '';
  private stderr = '';
  private ended = false;

  private constructor(private readonly child: ChildProcess) {
    child.stdout!.on('data', (chunk: Buffer) => (this.text += chunk));
    child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk));
    child.on('error', () => (this.ended = true)).on('exit', () => (this.ended = true));
  }

  /**
   * Resolves once tcpdump is listening, or to undefined if tcpdump is missing or may not listen.
   * `namespace` '' means the current one. `words` are further arguments for tcpdump.
   */
  static async open(namespace: string, ...words: readonly string[]): Promise<LiveCapture | undefined> {
    const place = namespace ? ['ip', 'netns', 'exec', namespace] : [];
    const [file, ...rest] = [...place, 'tcpdump', ...ARGUMENTS, ...words] as [string, ...string[]];
    const capture = new LiveCapture(spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'] }));
    for (const end = Date.now() + START_MS; Date.now() < end && !capture.ended; await sleep(20))
      if (capture.stderr.includes('listening on')) return capture;
    capture.close();
    return undefined;
  }

  /** The packets captured so far, one line each, in order. */
  get lines(): string[] {
    return this.text.replace(/\n\s+/g, ' ').split('\n');
  }

  close(): void {
    this.child.kill('SIGTERM');
  }
}

/** What one host saw of one connection attempt. */
export interface Observation {
  readonly host: string;
  readonly syn: boolean;
  readonly answer: boolean;
  /** tcpdump called the checksum of the answer incorrect. */
  readonly incorrect: boolean;
}

/** Ends the capture and returns a function: what was seen of the connection from a source port. */
export type EndCapture = () => (sport: number) => Observation;

/**
 * Starts a capture on all devices of a host, and resolves once tcpdump is listening. Where tcpdump
 * cannot run, the observations are empty.
 */
export async function captureOn({ name, namespace }: Pick<HostFacts, 'name' | 'namespace'>): Promise<EndCapture> {
  const capture = await LiveCapture.open(namespace, OUR_PORTS);
  return () => {
    capture?.close();
    const lines = capture?.lines ?? [];
    return (sport) =>
      observed(
        name,
        lines.filter((line) => line.includes(`.${sport} >`) || line.includes(`.${sport}: `)),
      );
  };
}

function observed(host: string, lines: readonly string[]): Observation {
  const answers = lines.filter((line) => /Flags \[(S\.|R)/.test(line));
  return {
    host,
    syn: lines.some((line) => line.includes('Flags [S]')),
    answer: answers.length > 0,
    incorrect: answers.some((line) => line.includes('incorrect')),
  };
}

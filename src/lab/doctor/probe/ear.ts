/** What the box hears of its own probes: tcpdump on all its devices, each line cut into who said what to whom. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { FIRST_PORT, LAST_PORT, TUNNELLED } from '../ear.js';

export interface Heard {
  /** Seconds since midnight, as tcpdump writes the time. */
  readonly at: number;
  readonly dev: string;
  readonly inwards: boolean;
  /** '' where the device has none. */
  readonly mac: string;
  readonly text: string;
}

const RANGE = `tcp portrange ${FIRST_PORT}-${LAST_PORT}`;
const ICMP = 'icmp[0] = 3 or icmp[0] = 0';
const ICMP6 = 'icmp6 and (ip6[40] = 1 or ip6[40] = 129)';
const FILTER = [RANGE, TUNNELLED, ICMP, ICMP6].map((one) => `(${one})`).join(' or ');
const LINE = /^(\d+):(\d+):(\d+\.\d+) (\S+)\s+(\S+)\s+(.*)$/;
const START_MS = 3000;

export class BoxEar {
  private text = '';
  private said = '';
  private ended = false;

  private constructor(private readonly child: ChildProcess) {
    child.stdout!.on('data', (chunk: Buffer) => (this.text += chunk));
    child.stderr!.on('data', (chunk: Buffer) => (this.said += chunk));
    child.on('error', () => (this.ended = true)).on('exit', () => (this.ended = true));
  }

  /** Resolves when it listens; undefined where there is no tcpdump that does. */
  static async open(): Promise<BoxEar | undefined> {
    const words = ['-i', 'any', '-nn', '-l', '-v', '-e', '-Z', 'root', '--immediate-mode', FILTER];
    const ear = new BoxEar(spawn('tcpdump', words, { stdio: ['ignore', 'pipe', 'pipe'] }));
    for (const end = Date.now() + START_MS; Date.now() < end && !ear.ended; await sleep(20))
      if (ear.said.includes('listening on')) return ear;
    ear.close();
    return undefined;
  }

  /** All so far, in order. */
  get heard(): Heard[] {
    return this.text
      .replace(/\n\s+/g, ' ')
      .split('\n')
      .flatMap((line) => heardIn(line) ?? []);
  }

  close(): void {
    this.child.kill('SIGTERM');
  }
}

function heardIn(line: string): Heard | undefined {
  const match = LINE.exec(line);
  if (!match) return undefined;
  const [, hours, minutes, seconds, dev = '', way = '', text = ''] = match;
  const mac = /^(?:ifindex \d+ )?([0-9a-f]{2}(?::[0-9a-f]{2}){5}) /.exec(text)?.[1] ?? '';
  return {
    at: Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds),
    dev,
    inwards: way === 'In' || way === 'M' || way === 'B',
    mac,
    text,
  };
}

/** A packet to the port that is our own, with these flags. */
export function answers({ text, inwards }: Heard, own: number, flags: RegExp): boolean {
  return inwards && text.includes(`.${own}: Flags [`) && flags.test(text);
}

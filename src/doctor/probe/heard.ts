/** What the box hears of its own probes: tcpdump on all its devices, each line cut into who said what to whom. */
import { Ear, OURS } from '../listen.js';

export interface Heard {
  /** Seconds since midnight, as tcpdump writes the time. */
  readonly at: number;
  readonly dev: string;
  readonly inwards: boolean;
  /** '' where the device has none. */
  readonly mac: string;
  readonly text: string;
}

const ICMP = 'icmp[0] = 3 or icmp[0] = 0';
const ICMP6 = 'icmp6 and (ip6[40] = 1 or ip6[40] = 129)';
const FILTER = [OURS, ICMP, ICMP6].map((one) => `(${one})`).join(' or ');
const LINE = /^(\d+):(\d+):(\d+\.\d+) (\S+)\s+(\S+)\s+(.*)$/;

export class BoxEar {
  private constructor(private readonly ear: Ear) {}

  /** Resolves when it listens; undefined where there is no tcpdump that does. */
  static async open(): Promise<BoxEar | undefined> {
    const ear = await Ear.open('', '-e', FILTER);
    return ear && new BoxEar(ear);
  }

  /** All so far, in order. */
  get heard(): Heard[] {
    return this.ear.lines.flatMap((line) => heardIn(line) ?? []);
  }

  close(): void {
    this.ear.close();
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

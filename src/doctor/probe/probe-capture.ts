/**
 * Captures the probes and their answers on all devices of this machine, and parses tcpdump's lines.
 */
import { LiveCapture, OUR_PORTS } from '../live-capture.js';

export interface CapturedPacket {
  /** Seconds since midnight, as tcpdump prints the time. */
  readonly at: number;
  readonly dev: string;
  readonly inwards: boolean;
  /** The MAC that tcpdump prints; '' for a device without link-layer addresses. */
  readonly mac: string;
  readonly text: string;
}

const ICMP = 'icmp[0] = 3 or icmp[0] = 0';
const ICMP6 = 'icmp6 and (ip6[40] = 1 or ip6[40] = 129)';
const FILTER = [OUR_PORTS, ICMP, ICMP6].map((one) => `(${one})`).join(' or ');
const LINE = /^(\d+):(\d+):(\d+\.\d+) (\S+)\s+(\S+)\s+(.*)$/;

export class ProbeCapture {
  private constructor(private readonly capture: LiveCapture) {}

  /**
   * Resolves once tcpdump is listening, or to undefined if tcpdump is missing or may not listen.
   */
  static async open(): Promise<ProbeCapture | undefined> {
    const capture = await LiveCapture.open('', '-e', FILTER);
    return capture && new ProbeCapture(capture);
  }

  /** The packets captured so far, in order. */
  get packets(): CapturedPacket[] {
    return this.capture.lines.flatMap((line) => parseLine(line) ?? []);
  }

  close(): void {
    this.capture.close();
  }
}

function parseLine(line: string): CapturedPacket | undefined {
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

/** Whether the packet came in, to our port `sport`, and tcpdump's text matches `flags`. */
export function isAnswerTo({ text, inwards }: CapturedPacket, sport: number, flags: RegExp): boolean {
  return inwards && text.includes(`.${sport}: Flags [`) && flags.test(text);
}

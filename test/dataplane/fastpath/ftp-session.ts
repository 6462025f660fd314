/**
 * FTP sessions of a client and a server through a masq service: a control connection, PASV or PORT,
 * then a data connection with segments in both directions. Steps are in order. Each names the link
 * that receives it.
 */
import type { Random } from '../../support/seed.js';
import { arriving } from './traffic.js';

const CLIENT = '10.0.0.1';
const VIP = '10.0.0.100';
const SERVER = '192.168.1.11';
/** Data ports are above all other ports of these tests. Active data comes from port 20. */
export const FIRST_DATA_PORT = 20_000;
const DATA_SEGMENTS = 16;

interface Segment {
  readonly sport: number;
  readonly dport: number;
  readonly flags: string;
  readonly text?: string;
}
interface Step extends Segment {
  readonly device: 0 | 1;
}

export class FtpSession {
  private steps: Step[] = [];
  private turn = 0;
  private readonly sent = [1000, 5000];

  /** `port`: the client's port of the first control connection; each later one takes the next but `stride - 1`. */
  constructor(
    private readonly random: Random,
    private readonly port: number,
    private readonly stride: number,
  ) {}

  /** The next frame, if the link `device` receives it. */
  next(device: number): Uint8Array | undefined {
    if (this.steps.length === 0) this.begin();
    if (this.steps[0]!.device !== device) return undefined;
    return this.frame(this.steps.shift()!);
  }

  private begin(): void {
    const at = this.turn++ * this.stride;
    const control = this.port + at;
    const data = FIRST_DATA_PORT + this.port + at;
    const hosts = this.random.bool() ? passive(control, data) : active(control, data);
    this.steps = [...open(0, control, 21), ...hosts, ...this.segments(hosts.at(-1)!)];
  }

  /** The segments after the handshake of the data connection, in both directions. */
  private segments({ device, sport, dport }: Step): Step[] {
    const there: Step = { device, sport, dport, flags: 'PA', text: 'data' };
    const back: Step = { ...there, device: device === 0 ? 1 : 0, sport: dport, dport: sport };
    return Array.from({ length: DATA_SEGMENTS }, () => (this.random.bool() ? there : back));
  }

  private frame({ device, text = '', ...ends }: Step): Uint8Array {
    const [src, dst] = device === 0 ? [CLIENT, VIP] : [SERVER, CLIENT];
    const seq = this.sent[device]!;
    this.sent[device] = seq + text.length + (ends.flags.includes('S') ? 1 : 0);
    const segment = arriving(device)
      .ipv4({ src, dst })
      .tcp({ ...ends, seq, ack: this.sent[1 - device]! });
    return segment.payload(text).bytes();
  }
}

/** The three segments that open a connection. `device`: the link of the end that opens it. */
function open(device: 0 | 1, sport: number, dport: number): Step[] {
  const there = { device, sport, dport };
  const back = { device: device === 0 ? 1 : 0, sport: dport, dport: sport } as const;
  return [
    { ...there, flags: 'S' },
    { ...back, flags: 'SA' },
    { ...there, flags: 'A' },
  ];
}

function passive(control: number, data: number): Step[] {
  const line = `227 Entering Passive Mode (192,168,1,11,${data >> 8},${data & 255}).\r\n`;
  return [
    { device: 0, sport: control, dport: 21, flags: 'PA', text: 'PASV\r\n' },
    { device: 1, sport: 21, dport: control, flags: 'PA', text: line },
    ...open(0, data + 1, data),
  ];
}

function active(control: number, data: number): Step[] {
  const line = `PORT 10,0,0,1,${data >> 8},${data & 255}\r\n`;
  return [
    { device: 0, sport: control, dport: 21, flags: 'PA', text: line },
    { device: 1, sport: 21, dport: control, flags: 'PA', text: '200 ok\r\n' },
    ...open(1, 20, data),
  ];
}

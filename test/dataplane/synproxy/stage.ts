/**
 * A director with a SYN proxy between a client and a real server, for tests: segments in words in,
 * segments in words out. IPv4 by NAT, or IPv6.
 *
 *     client 10.0.0.1:4000 ─ eth0 ─ director, VIP 10.0.0.100:80 ─ eth1 ─ 192.168.1.11:8080
 */
import { expect } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { offlineNames } from '../../../src/ulvsadm/names.js';
import { ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';
import * as ipv6 from '../../../src/wire/ipv6.js';
import * as options from '../../../src/wire/options.js';
import * as tcp from '../../../src/wire/tcp.js';
import { NETWORK } from '../../support/network.js';
import { checkFrame, packet } from '../../support/packet.js';

const V4 = { client: '10.0.0.1', vip: '10.0.0.100', server: '192.168.1.11' };
const V6 = { client: '2001:db8::1', vip: '2001:db8::100', server: '2001:db8:1::11' };

/** A segment. `ts`: TSval and TSecr; `scale`: −1 without the option; `sack`: edges of the blocks. */
export interface Seg {
  readonly flags: string;
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  readonly mss?: number;
  readonly scale?: number;
  readonly sackOk?: boolean;
  readonly ts?: readonly [number, number];
  readonly sack?: readonly number[];
  readonly data?: string;
}
export interface Sent extends Seg {
  /** Who gets it. */
  readonly to: 'client' | 'server';
}

export class Stage {
  private readonly frames: Uint8Array[] = [];
  private readonly ends: typeof V4;
  /** Source port of the last segment that was sent. */
  lastSport = 0;

  private constructor(
    private readonly family: 4 | 6,
    readonly director: InProcessDirector,
    private readonly dport: number,
  ) {
    this.ends = family === 4 ? V4 : V6;
  }

  static async begin(
    more = 'serviceOptions: [{ service: SERVICE, synproxy: on }]',
    { family = 4 as 4 | 6, port = 80, now = 5000, method = '-m' } = {},
  ): Promise<Stage> {
    const { vip, server } = family === 4 ? V4 : V6;
    const at = (address: string, number: number) => `${family === 4 ? address : `[${address}]`}:${number}`;
    const yaml = NETWORK + more.replaceAll('SERVICE', `"-t ${at(vip, port)}"`);
    let stage: Stage | undefined;
    const one = new InProcessDirector(parseConfig(yaml, 'test.yaml'), (_, bytes) => stage!.frames.push(bytes), now);
    stage = new Stage(family, one, port);
    await stage.rule(`-A -t ${at(vip, port)} -s rr`);
    await stage.rule(`-a -t ${at(vip, port)} -r ${at(server, port === 80 ? 8080 : port)} ${method}`);
    return stage;
  }

  async rule(line: string): Promise<void> {
    expect(await this.told(line)).toBe('');
  }
  /** What ulvsadm says to the words. */
  async told(line: string): Promise<string> {
    return (await ulvsadm(line.split(' '), () => '', this.director, { names: offlineNames() })).err;
  }

  /** What the director sends because of a segment of the client, or of the server. */
  client(seg: Seg, sport = 4000): Sent[] {
    const { client, vip } = this.ends;
    return this.receive(0, '02:00:00:00:c0:01', '02:00:00:00:0d:00', client, vip, sport, this.dport, seg);
  }
  server(seg: Seg, dport = 4000, dst = this.ends.client): Sent[] {
    const sport = this.dport === 80 ? 8080 : this.dport;
    return this.receive(1, '02:00:00:00:a0:11', '02:00:00:00:0d:01', this.ends.server, dst, sport, dport, seg);
  }
  /**
   * An ICMP error about a segment of the VIP to the client, or of the client to the server. Returns
   * the numbers of the segment that it quotes when it leaves; undefined: it does not.
   */
  error(about: 'reply' | 'request', { seq, ack }: Pick<Seg, 'seq' | 'ack'>): { seq: number; ack: number } | undefined {
    const { client, vip, server } = this.ends;
    const sport = this.dport === 80 ? 8080 : this.dport;
    const [src, dst] = about === 'reply' ? [vip, client] : [client, server];
    const ports = about === 'reply' ? { sport: this.dport, dport: 4000 } : { sport: 4000, dport: sport };
    const from = about === 'reply' ? client : server;
    const to = about === 'reply' ? vip : client;
    const [device, mac, own] =
      about === 'reply'
        ? ([0, '02:00:00:00:c0:01', '02:00:00:00:0d:00'] as const)
        : ([1, '02:00:00:00:a0:11', '02:00:00:00:0d:01'] as const);
    const eth = packet().eth(mac, own);
    const numbers = { ...ports, seq: seq >>> 0, ack: ack >>> 0 };
    const bytes =
      this.family === 4
        ? eth.ipv4({ src: from, dst: to }).icmp({ type: 3, code: 4, mtu: 1400 }).ipv4({ src, dst }).tcp(numbers).bytes()
        : eth.ipv6({ src: from, dst: to }).icmp6({ type: 2, mtu: 1400 }).ipv6({ src, dst }).tcp(numbers).bytes();
    this.director.receive(device, bytes);
    const [frame] = this.frames.splice(0);
    if (frame === undefined) return undefined;
    const view = new DataView(frame.buffer, frame.byteOffset);
    const l4 = 14 + (this.family === 4 ? 20 + 8 + 20 : ipv6.HEADER + 8 + ipv6.HEADER);
    return { seq: view.getUint32(l4 + 4), ack: view.getUint32(l4 + 8) };
  }

  /** What it sends in the time up to `now`, in ms. */
  advance(now: number): Sent[] {
    this.director.advance(now);
    return this.out();
  }
  states(): string[] {
    return this.director.connections().map(({ state }) => state);
  }

  private receive(
    device: number,
    from: string,
    to: string,
    src: string,
    dst: string,
    sport: number,
    dport: number,
    seg: Seg,
  ): Sent[] {
    const eth = packet().eth(from, to);
    const ip = this.family === 4 ? eth.ipv4({ src, dst }) : eth.ipv6({ src, dst });
    const { flags, window } = seg;
    const words = { sport, dport, flags, window, seq: seg.seq >>> 0, ack: seg.ack >>> 0, options: optionsOf(seg) };
    this.director.receive(
      device,
      ip
        .tcp(words)
        .payload(Buffer.from(seg.data ?? '', 'latin1'))
        .bytes(),
    );
    return this.out();
  }

  private out(): Sent[] {
    for (const frame of this.frames) expect(checkFrame(frame)).toEqual([]);
    return this.frames.splice(0).map((frame) => this.inWords(frame));
  }

  private inWords(frame: Uint8Array): Sent {
    const at = 14 + (this.family === 4 ? 20 : ipv6.HEADER);
    const view = new DataView(frame.buffer, frame.byteOffset);
    const end = 14 + (this.family === 4 ? view.getUint16(16) : ipv6.HEADER + view.getUint16(18));
    const segment = tcp.decode(frame.subarray(at, end));
    if (typeof segment === 'string') throw new Error(segment);
    const list = options.decode(segment.options);
    if (typeof list === 'string') throw new Error(list);
    const { seq, ack, window } = segment;
    this.lastSport = segment.sport;
    const data = Buffer.from(segment.payload).toString('latin1');
    return {
      to: frame[5] === 1 ? 'client' : 'server',
      flags: tcp.flagsText(segment.flags),
      seq,
      ack,
      window,
      ...wordsOf(list.options),
      ...(data === '' ? {} : { data }),
    };
  }
}

function u32(...numbers: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * numbers.length));
  for (const [i, number] of numbers.entries()) view.setUint32(4 * i, number);
  return new Uint8Array(view.buffer);
}

/** A NOP stands before the last options, so that they are not aligned. */
function optionsOf({ mss, scale, sackOk, ts, sack }: Seg): options.Option[] {
  const list: options.Option[] = [];
  if (mss !== undefined) list.push(options.mss(mss));
  if (sackOk) list.push({ kind: options.SACK_PERMITTED, data: new Uint8Array(0) });
  if (sack !== undefined) list.push({ kind: options.NOP, data: new Uint8Array(0) });
  if (ts !== undefined) list.push({ kind: options.TIMESTAMPS, data: u32(...ts) });
  if (sack !== undefined) list.push({ kind: options.SACK, data: u32(...sack) });
  if (scale !== undefined) list.push({ kind: options.WINDOW_SCALE, data: Uint8Array.of(scale) });
  return list;
}

function wordsOf(list: readonly options.Option[]): Partial<Seg> {
  const find = (kind: number) => list.find((option) => option.kind === kind)?.data;
  const numbers = (data: Uint8Array) =>
    Array.from({ length: data.length / 4 }, (_, i) => new DataView(data.buffer, data.byteOffset).getUint32(4 * i));
  const mss = find(options.MSS);
  const ts = find(options.TIMESTAMPS);
  const sack = find(options.SACK);
  const scale = find(options.WINDOW_SCALE);
  return {
    ...(mss && { mss: (mss[0]! << 8) | mss[1]! }),
    ...(scale && { scale: scale[0]! }),
    ...(find(options.SACK_PERMITTED) && { sackOk: true }),
    ...(ts && { ts: [numbers(ts)[0]!, numbers(ts)[1]!] as const }),
    ...(sack && { sack: numbers(sack) }),
  };
}

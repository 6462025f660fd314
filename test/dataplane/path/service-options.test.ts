/** Options of a service: idle times of its own, RST at their end and after a removal, UDP that moves. Packets in, packets out. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { FrameStat } from '../../../src/stats/counters.js';
import { offlineNames } from '../../../src/ulvsadm/names.js';
import { ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';
import { format4, format6 } from '../../../src/wire/address.js';
import * as ipv4 from '../../../src/wire/ipv4.js';
import { NETWORK } from '../../support/network.js';
import { checkFrame, packet } from '../../support/packet.js';

const RULES = [
  '-A -t 10.0.0.100:80 -s rr',
  '-a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m',
  '-A -t 10.0.0.100:82 -s rr',
  '-a -t 10.0.0.100:82 -r 192.168.1.12:82 -g',
  '-A -u 10.0.0.100:53 -s rr',
  '-a -u 10.0.0.100:53 -r 192.168.1.11:53 -m',
  '-a -u 10.0.0.100:53 -r 192.168.1.12:53 -m',
  '-A -t [2001:db8::100]:80 -s rr',
  '-a -t [2001:db8::100]:80 -r [2001:db8:1::11]:8080 -m',
];
const fromClient = packet().eth('02:00:00:00:c0:01', '02:00:00:00:0d:00');
const fromServer = packet().eth('02:00:00:00:a0:11', '02:00:00:00:0d:01');

/** A director with these options, and what it sends, in words: `10.0.0.1:4000 > 10.0.0.100:80 R 7 0`. */
async function begin(options: string) {
  const sent: Uint8Array[] = [];
  const one = new InProcessDirector(parseConfig(`${NETWORK}${options}`, 'test.yaml'), (_, bytes) => sent.push(bytes));
  const rule = async (line: string) =>
    expect((await ulvsadm(line.split(' '), () => '', one, { names: offlineNames() })).err).toBe('');
  for (const line of RULES) await rule(line);
  const out = () => {
    for (const frame of sent) expect(checkFrame(frame)).toEqual([]);
    return sent.splice(0).map(inWords);
  };
  const client = (dport: number, flags: string, seq: number, ack: number) => {
    const tcp = fromClient.ipv4({ src: '10.0.0.1', dst: '10.0.0.100' }).tcp({ sport: 4000, dport, flags, seq, ack });
    one.receive(0, tcp.payload(flags === 'PA' ? 'data' : '').bytes());
  };
  const server = (sport: number, flags: string, seq: number, ack: number) => {
    const words = { sport, dport: 4000, flags, seq, ack };
    one.receive(1, fromServer.ipv4({ src: '192.168.1.11', dst: '10.0.0.1' }).tcp(words).bytes());
  };
  const handshake = () => {
    client(80, 'S', 100, 0);
    server(8080, 'SA', 500, 101);
    client(80, 'A', 101, 501);
    sent.length = 0;
  };
  const udp = (sport: number) => {
    const words = fromClient.ipv4({ src: '10.0.0.1', dst: '10.0.0.100' }).udp({ sport, dport: 53 });
    one.receive(0, words.payload('?').bytes());
    return out().map((text) => text.split(' > ')[1]);
  };
  return { one, rule, out, client, server, handshake, udp };
}

function inWords(frame: Uint8Array): string {
  const view = new DataView(frame.buffer, frame.byteOffset);
  const six = view.getUint16(12) === 0x86dd;
  const words = (at: number) => Int32Array.from([0, 4, 8, 12], (i) => view.getInt32(at + i));
  const src = six ? `[${format6(words(22))}]` : format4(ipv4.src(view, 14));
  const dst = six ? `[${format6(words(38))}]` : format4(ipv4.dst(view, 14));
  const l4 = six ? 54 : 14 + ipv4.headerLen(view, 14);
  const ends = `${src}:${view.getUint16(l4)} > ${dst}:${view.getUint16(l4 + 2)}`;
  if ((six ? view.getUint8(20) : ipv4.protocol(view, 14)) !== ipv4.TCP) return ends;
  const flags = ['F', 'S', 'R', 'P', 'A'].filter((_, i) => (view.getUint8(l4 + 13) >> i) & 1).join('');
  const numbers = flags === 'A' ? '' : ` ${view.getUint32(l4 + 4)} ${view.getUint32(l4 + 8)}`;
  return `${ends} ${flags}${numbers}`;
}

const ASKED = ['10.0.0.100:80 > 10.0.0.1:4000 A', '10.0.0.1:4000 > 192.168.1.11:8080 A'];
const BOTH_RESET = ['10.0.0.100:80 > 10.0.0.1:4000 R 501 0', '10.0.0.1:4000 > 192.168.1.11:8080 R 101 0'];
const states = (one: InProcessDirector) => one.connections().map(({ state, expires }) => `${state} ${expires}`);

describe('idle times of a service', () => {
  const options = 'serviceOptions: [{ service: -t 10.0.0.100:80, idle: { tcp: 20, tcpfin: 5 } }]';

  it('shorter than those of all services: the connection ends in time', async () => {
    const { one, handshake, client } = await begin(options);
    handshake();
    one.advance(15_000);
    client(80, 'A', 101, 501);
    one.advance(34_000);
    expect(states(one)).toHaveLength(1);
    one.advance(41_000);
    expect(states(one)).toEqual([]);
  });

  it('longer: it lives on, and packets renew it', async () => {
    const longer = await begin('serviceOptions: [{ service: -t 10.0.0.100:80, idle: { tcp: 2000 } }]');
    longer.handshake();
    longer.one.advance(1_500_000);
    expect(states(longer.one)).toEqual(['ESTABLISHED 500']);
    longer.client(80, 'A', 101, 501);
    expect(longer.out()).toEqual(['10.0.0.1:4000 > 192.168.1.11:8080 A']);
    longer.one.advance(3_490_000);
    expect(states(longer.one)).toHaveLength(1);
    longer.one.advance(3_502_000);
    expect(states(longer.one)).toEqual([]);
  });

  it('of UDP, and only of that service', async () => {
    const { one, udp, handshake } = await begin('serviceOptions: [{ service: -u 10.0.0.100:53, idle: { udp: 3 } }]');
    udp(9);
    handshake();
    one.advance(5000);
    expect(states(one)).toEqual(['ESTABLISHED 895']);
  });
});

describe('RST at the end of the idle time', () => {
  const options = 'serviceOptions: [{ service: -t 10.0.0.100:80, idle: { tcp: 20 }, resetIdle: true }]';

  it('the director asks both sides, and the answer of the client resets both', async () => {
    const { one, handshake, out, client } = await begin(options);
    handshake();
    one.advance(20_500);
    expect(out()).toEqual(ASKED);
    client(80, 'A', 101, 501);
    expect(out()).toEqual(BOTH_RESET);
    expect(states(one)).toEqual([]);
  });

  it('so does the answer of the server, when the client is gone', async () => {
    const { one, handshake, out, server } = await begin(options);
    handshake();
    one.advance(20_500);
    out();
    server(8080, 'A', 501, 101);
    expect(out()).toEqual(BOTH_RESET);
    expect(states(one)).toEqual([]);
  });

  it('without an answer the connection ends after 3 s, and each frame has one verdict', async () => {
    const { one, handshake, out } = await begin(options);
    handshake();
    one.advance(24_000);
    expect(out()).toEqual(ASKED);
    expect(states(one)).toEqual([]);
    const { values } = one.director.counters;
    const { in: all, forwarded, delivered, passed, dropped } = FrameStat;
    expect(values[all]).toBe(values[forwarded]! + values[delivered]! + values[passed]! + values[dropped]!);
  });

  it('a SYN of the client meanwhile opens a new connection', async () => {
    const { one, handshake, out, client } = await begin(options);
    handshake();
    one.advance(20_500);
    out();
    client(80, 'S', 900, 0);
    expect(out()).toEqual(['10.0.0.1:4000 > 192.168.1.11:8080 S 900 0']);
    expect(states(one)).toEqual(['SYN_RECV 60']);
  });

  it('of IPv6', async () => {
    const { one, out } = await begin(
      'serviceOptions: [{ service: "-t [2001:db8::100]:80", idle: { tcp: 20 }, resetIdle: true }]',
    );
    const client = (flags: string, seq: number, ack: number) => {
      const ip = fromClient.ipv6({ src: '2001:db8::1', dst: '2001:db8::100' });
      one.receive(0, ip.tcp({ sport: 4000, dport: 80, flags, seq, ack }).bytes());
    };
    client('S', 100, 0);
    const answer = fromServer.ipv6({ src: '2001:db8:1::11', dst: '2001:db8::1' });
    one.receive(1, answer.tcp({ sport: 8080, dport: 4000, flags: 'SA', seq: 500, ack: 101 }).bytes());
    client('A', 101, 501);
    out();
    one.advance(20_500);
    expect(out()).toEqual([
      '[2001:db8::100]:80 > [2001:db8::1]:4000 A',
      '[2001:db8::1]:4000 > [2001:db8:1::11]:8080 A',
    ]);
    client('A', 101, 501);
    expect(out()).toEqual([
      '[2001:db8::100]:80 > [2001:db8::1]:4000 R 501 0',
      '[2001:db8::1]:4000 > [2001:db8:1::11]:8080 R 101 0',
    ]);
  });
});

describe('a removed destination', () => {
  it('resetRemoved: its TCP connections are reset on both sides', async () => {
    const { one, rule, handshake, out, client } = await begin(
      'serviceOptions: [{ service: -t 10.0.0.100:80, resetRemoved: true }]',
    );
    handshake();
    await rule('-d -t 10.0.0.100:80 -r 192.168.1.11:8080');
    one.advance(10);
    expect(out()).toEqual(ASKED);
    client(80, 'PA', 101, 501);
    expect(out()).toEqual(BOTH_RESET);
    expect(states(one)).toEqual([]);
  });

  it('without the option they are not', async () => {
    const { one, rule, handshake, out, client } = await begin('');
    handshake();
    await rule('-d -t 10.0.0.100:80 -r 192.168.1.11:8080');
    one.advance(10);
    client(80, 'PA', 101, 501);
    expect(out()).toEqual([]);
    expect(states(one)).toHaveLength(1);
  });

  it('rescheduleUdp: its UDP clients get another one with the next datagram', async () => {
    for (const [options, next] of [
      ['serviceOptions: [{ service: -u 10.0.0.100:53, rescheduleUdp: true }]', ['192.168.1.12:53']],
      ['', []],
    ] as const) {
      const { one, rule, udp } = await begin(options);
      const first = [udp(1), udp(2)];
      const sport = first[0]![0] === '192.168.1.11:53' ? 1 : 2;
      await rule('-d -u 10.0.0.100:53 -r 192.168.1.11:53');
      one.advance(10);
      expect(udp(sport)).toEqual(next);
    }
  });
});

describe('the request endConnections', () => {
  const which = (key: { protocol: number; port: number }, address: string, port: number) =>
    ({ op: 'endConnections', key: { ...key, address: '10.0.0.100' }, address, port }) as const;

  it('resets TCP connections of a destination that stays, and ends those of UDP', async () => {
    const { one, handshake, out, client, udp } = await begin('');
    handshake();
    udp(1);
    udp(2);
    expect(
      await one.request({ ...which({ protocol: 6, port: 80 }, '192.168.1.11', 8080), tcp: true, udp: false }),
    ).toEqual({ ok: true });
    one.advance(10);
    expect(out()).toEqual(ASKED);
    client(80, 'A', 101, 501);
    expect(out()).toEqual(BOTH_RESET);
    await one.request({ ...which({ protocol: 17, port: 53 }, '192.168.1.11', 53), tcp: true, udp: true });
    one.advance(20);
    expect(states(one)).toHaveLength(1);
    // Only what was there ends.
    handshake();
    one.advance(30);
    expect(out()).toEqual([]);
  });

  it('of a DR connection: the answer of the client resets both', async () => {
    const { one, out, client } = await begin('');
    client(82, 'S', 100, 0);
    client(82, 'A', 101, 501);
    out();
    await one.request({ ...which({ protocol: 6, port: 82 }, '192.168.1.12', 82), tcp: true, udp: false });
    one.advance(10);
    expect(out()).toEqual(['10.0.0.100:82 > 10.0.0.1:4000 A', '10.0.0.1:4000 > 10.0.0.100:82 A']);
    client(82, 'A', 101, 501);
    expect(out()).toEqual(['10.0.0.100:82 > 10.0.0.1:4000 R 501 0', '10.0.0.1:4000 > 10.0.0.100:82 R 101 0']);
  });

  it('of no destination: ENOENT', async () => {
    const { one } = await begin('');
    const request = { ...which({ protocol: 6, port: 80 }, '192.168.1.99', 1), tcp: true, udp: true };
    expect(await one.request(request)).toEqual({ ok: false, errno: 'ENOENT' });
  });
});

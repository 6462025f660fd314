/**
 * Tests ICMP errors in cases that the kernel does not have (full NAT), and malformed ones. The
 * recordings in test/conformance/recorded/icmp test the rest.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { FrameStat } from '../../../src/stats/counters.js';
import { offlineNames } from '../../../src/ulvsadm/names.js';
import { ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';
import { format4 } from '../../../src/wire/address.js';
import * as icmp from '../../../src/wire/icmp.js';
import * as ipv4 from '../../../src/wire/ipv4.js';
import { NETWORK } from '../../support/network.js';
import { checkFrame, packet } from '../../support/packet.js';
import { Random } from '../../support/seed.js';

// What the kernel does is held by test/conformance/icmp*; here is what it has not got, and input that is broken.
const CONFIG = `
${NETWORK}accept: { sources: [192.168.1.240] }
`;
const RULES = [
  '-A -t 10.0.0.100:80 -s rr',
  '-a -t 10.0.0.100:80 -r 192.168.1.11:8080 --full-nat',
  '-A -t 10.0.0.100:81 -s rr',
  '-a -t 10.0.0.100:81 -r 192.168.1.11:8081 -m',
  '-A -t 10.0.0.100:82 -s rr',
  '-a -t 10.0.0.100:82 -r 192.168.1.12 -i',
  '-A -t [2001:db8::100]:81 -s rr',
  '-a -t [2001:db8::100]:81 -r [2001:db8:1::11]:8081 -m',
];
const fromClient = packet().eth('02:00:00:00:c0:01', '02:00:00:00:0d:00');
const fromServer = packet().eth('02:00:00:00:a0:11', '02:00:00:00:0d:01');

let sent: Uint8Array[];
let one: InProcessDirector;

beforeEach(async () => {
  sent = [];
  one = new InProcessDirector(parseConfig(CONFIG, 'test.yaml'), (_, bytes) => sent.push(bytes));
  for (const rule of RULES)
    expect((await ulvsadm(rule.split(' '), () => '', one, { names: offlineNames() })).err).toBe('');
  for (const dport of [80, 81, 82])
    one.receive(
      0,
      fromClient.ipv4({ src: '10.0.0.1', dst: '10.0.0.100' }).tcp({ sport: 4000, dport, flags: 'S' }).bytes(),
    );
  const six = fromClient.ipv6({ src: '2001:db8::1', dst: '2001:db8::100' });
  one.receive(0, six.tcp({ sport: 4000, dport: 81, flags: 'S' }).bytes());
});

/** Addresses of the IPv4 packet at `at`, and the ports after its header. */
function ends(frame: Uint8Array, at: number): string {
  const view = new DataView(frame.buffer, frame.byteOffset);
  const l4 = at + ipv4.headerLen(view, at);
  const port = (i: number) => (ipv4.protocol(view, at) === ipv4.TCP ? `:${view.getUint16(l4 + 2 * i)}` : '');
  return `${format4(ipv4.src(view, at))}${port(0)} > ${format4(ipv4.dst(view, at))}${port(1)}`;
}

describe('an ICMP error about a full NAT connection', () => {
  const unreachable = { type: 3, code: 4, mtu: 1400 };

  it('of the client speaks to the server of its own connection with the pool', () => {
    const source = ends(sent[0]!, 14).split(' ')[0]!;
    sent.length = 0;
    const quoted = { src: '10.0.0.100', dst: '10.0.0.1' };
    const error = fromClient.ipv4({ src: '10.0.0.1', dst: '10.0.0.100' }).icmp(unreachable);
    one.receive(0, error.ipv4(quoted).tcp({ sport: 80, dport: 4000, flags: 'A' }).bytes());
    expect(ends(sent[0]!, 14)).toBe('192.168.1.240 > 192.168.1.11');
    expect(ends(sent[0]!, 42)).toBe(`192.168.1.11:8080 > ${source}`);
    expect(checkFrame(sent[0]!)).toEqual([]);
  });

  it('of the server speaks to the client of its connection with the VIP', () => {
    const sport = Number(ends(sent[0]!, 14).split(/[: ]/)[1]);
    sent.length = 0;
    const error = fromServer.ipv4({ src: '192.168.1.1', dst: '192.168.1.240' }).icmp(unreachable);
    const quoted = { src: '192.168.1.240', dst: '192.168.1.11' };
    one.receive(1, error.ipv4(quoted).tcp({ sport, dport: 8080, flags: 'A' }).bytes());
    expect(ends(sent[0]!, 14)).toBe('10.0.0.100 > 10.0.0.1');
    expect(ends(sent[0]!, 42)).toBe('10.0.0.1:4000 > 10.0.0.100:80');
    expect(checkFrame(sent[0]!)).toEqual([]);
  });
});

/** ICMP errors about each connection, from both sides, and about the tunnel. */
function errors(): [device: number, frame: Uint8Array][] {
  const client = fromClient.ipv4({ src: '10.0.0.1', dst: '10.0.0.100' }).icmp({ type: 3, code: 1 });
  const server = fromServer.ipv4({ src: '192.168.1.11', dst: '10.0.0.1' }).icmp({ type: 11, code: 0 });
  const router = fromServer.ipv4({ src: '192.168.1.12', dst: '192.168.1.254' }).icmp({ type: 3, code: 4, mtu: 1300 });
  const tunnelled = router
    .ipv4({ src: '192.168.1.254', dst: '192.168.1.12' })
    .ipv4({ src: '10.0.0.1', dst: '10.0.0.100' });
  const client6 = fromClient.ipv6({ src: '2001:db8::1', dst: '2001:db8::100' }).icmp6({ type: 2, mtu: 1300 });
  const reply = { src: '10.0.0.100', dst: '10.0.0.1' };
  return [
    [0, client.ipv4(reply).tcp({ sport: 80, dport: 4000 }).bytes()],
    [0, client.ipv4(reply).tcp({ sport: 81, dport: 4000 }).bytes()],
    [0, client.ipv4(reply).tcp({ sport: 82, dport: 4000 }).bytes()],
    [1, server.ipv4({ src: '10.0.0.1', dst: '192.168.1.11' }).tcp({ sport: 4000, dport: 8081 }).bytes()],
    [1, tunnelled.tcp({ sport: 4000, dport: 82 }).bytes()],
    [0, client6.ipv6({ src: '2001:db8::100', dst: '2001:db8::1' }).tcp({ sport: 81, dport: 4000 }).bytes()],
  ];
}

function everyFrameHasOneFate(free: number): void {
  const { values } = one.director.counters;
  const ended =
    values[FrameStat.forwarded]! +
    values[FrameStat.delivered]! +
    values[FrameStat.passed]! +
    values[FrameStat.dropped]!;
  expect(ended).toBe(values[FrameStat.in]);
  expect(one.director.umem.freeFrames).toBe(free);
}

describe('a broken ICMP error', () => {
  it('whose quote ends before the ports is not about a connection, though the frame before it was', () => {
    const [device, frame] = errors()[1]!;
    sent.length = 0;
    one.receive(device, frame);
    expect(sent).toHaveLength(1);
    const short = frame.slice(0, 14 + 20 + 8 + 20 + 3);
    const view = new DataView(short.buffer);
    ipv4.setTotalLen(view, 14, short.length - 14);
    ipv4.fillChecksum(view, 14);
    icmp.fillChecksum(view, 34, short.length - 34);
    one.receive(device, short);
    expect(sent).toHaveLength(1);
  });

  it('cut at any length, and cut again in what it quotes, has one verdict and breaks nothing', () => {
    const free = one.director.umem.freeFrames;
    for (const [device, frame] of errors())
      for (let len = 14; len <= frame.length; len++) {
        one.receive(device, frame.slice(0, len));
        const short = frame.slice(0, len);
        const view = new DataView(short.buffer);
        if (short[12] === 8 && len >= 34) {
          ipv4.setTotalLen(view, 14, len - 14);
          ipv4.fillChecksum(view, 14);
        } else if (short[12] === 0x86 && len >= 54) view.setUint16(18, len - 54);
        one.receive(device, short);
        everyFrameHasOneFate(free);
      }
  });

  it('with any byte of the quote changed, with schedule_icmp too, has one verdict', () => {
    const random = new Random();
    const free = one.director.umem.freeFrames;
    for (const schedule of [0, 1]) {
      one.director.sysctl.schedule_icmp = schedule;
      for (let round = 0; round < 3000; round++) {
        const [device, frame] = random.pick(errors());
        const from = frame[12] === 8 ? 34 : 54;
        for (let i = random.between(1, 3); i > 0; i--) frame[random.between(from, frame.length - 1)] = random.u8();
        one.receive(device, frame);
        everyFrameHasOneFate(free);
      }
    }
  });
});

/** Frames as one line of text. */
import { expect, it } from 'vitest';
import { printFrame, printPacket } from '../../src/wire/print.js';
import { packet } from '../support/packet.js';
import { Random, SEED } from '../support/seed.js';
import { allFrames, KERNEL, unhex } from './kernelframes.js';

it("reads Linux's frames aloud", () => {
  const lines = Object.entries(KERNEL).map(
    ([name, text]) => `${name}: ${printFrame(unhex(text)).replace(/^\S+ > \S+ /, '')}`,
  );
  expect(lines).toMatchInlineSnapshot(`
    [
      "timeExceeded: IP (ttl 64, id 14545, tos 0xc0) 10.0.0.100 > 10.0.0.2: icmp type 11 code 0 [IP (ttl 1, id 1, DF) 10.0.0.2.5001 > 10.0.0.100.53: udp, length 5]",
      "arpRequest: ARP who-has 192.0.2.2 tell 192.0.2.1",
      "arpReply: ARP 192.0.2.2 is-at 02:00:00:00:00:0b",
      "udp: IP (ttl 64, id 13006, DF) 192.0.2.1.52222 > 192.0.2.2.9: udp, length 5",
      "portUnreachable: IP (ttl 64, id 19498, tos 0xc0) 192.0.2.2 > 192.0.2.1: icmp type 3 code 3 [IP (ttl 64, id 13006, DF) 192.0.2.1.52222 > 192.0.2.2.9: udp, length 5]",
      "syn: IP (ttl 64, id 48455, DF) 192.0.2.1.38884 > 192.0.2.2.9: tcp [S], seq 3325904415, win 64240, options 20, length 0",
      "reset: IP (ttl 64, id 0, DF) 192.0.2.2.9 > 192.0.2.1.38884: tcp [R.], seq 0, ack 3325904416, win 0, length 0",
      "solicitation: IP6 (hlim 255) 2001:db8::1 > ff02::1:ff00:2: who-has 2001:db8::2",
      "advertisement: IP6 (hlim 255) 2001:db8::2 > 2001:db8::1: neighbour 2001:db8::2 is-at 02:00:00:00:00:0b",
      "udp6: IP6 (hlim 64) 2001:db8::1.49263 > 2001:db8::2.9: udp, length 5",
      "portUnreachable6: IP6 (hlim 64) 2001:db8::2 > 2001:db8::1: icmp6 type 1 code 4 [IP6 (hlim 64) 2001:db8::1.49263 > 2001:db8::2.9: udp, length 5]",
      "syn6: IP6 (hlim 64) 2001:db8::1.58888 > 2001:db8::2.9: tcp [S], seq 102038620, win 64800, options 20, length 0",
      "udpNoChecksum: IP (ttl 64, id 13007, DF) 192.0.2.1.56201 > 192.0.2.2.10: udp, length 6, no checksum",
      "multicastReport: IP6 (hlim 1) :: > ff02::16: icmp6 type 143 code 0, length 48",
      "routerSolicitation: IP6 (hlim 255) fe80::ff:fe00:a > ff02::2: icmp6 type 133 code 0, length 16",
    ]
  `);
});

it('reads what the kernel does not send on an ordinary day', () => {
  const ip = { src: '10.0.0.1', dst: '10.0.0.100' };
  const eth = packet().eth('02:00:00:00:c0:01', '02:00:00:00:0d:00');
  const data = { sport: 1, dport: 2 };
  const frames = [
    eth.vlan(7).vlan(5).ipv4(ip).tcp({ sport: 4000, dport: 80, flags: 'SA', seq: 1, ack: 2 }),
    eth.ipv4({ src: '192.168.1.254', dst: '192.168.1.11' }).ipv4(ip).udp({ sport: 9, dport: 53, checksum: 0 }),
    eth.ipv4({ ...ip, mf: true, checksum: 1 }).udp({ sport: 9, dport: 53, length: 3000 }),
    eth.ipv4({ ...ip, offset: 1480, protocol: 17 }).payload(8),
    eth
      .ipv4(ip)
      .icmp({ type: 3, code: 4, mtu: 1400 })
      .ipv4(ip)
      .tcp({ ...data, seq: 9 })
      .cut(28),
    eth.ipv4(ip).icmp({ type: 8, id: 3, seq: 4 }),
    eth.ipv4(ip).sctp({ ...data, tag: 5, chunks: [{ type: 1 }, { type: 10 }] }),
    eth.ipv6({ src: 'fe80::1', dst: 'ff02::1' }).extension(0).fragment({ more: true }).tcp({ sport: 1, dport: 2 }),
    eth.ipv6({ src: 'fe80::1', dst: 'ff02::1', nextHeader: 60 }).payload(4),
    eth.ipv4(ip).cut(30),
    eth.ipv4({ ...ip, protocol: 47 }).payload(4),
  ];
  expect(frames.map((frame) => printFrame(frame.bytes()).replace(/^\S+ > \S+ /, ''))).toMatchInlineSnapshot(`
    [
      "vlan 7 vlan 5 IP (ttl 64, id 1, DF) 10.0.0.1.4000 > 10.0.0.100.80: tcp [S.], seq 1, ack 2, win 65535, length 0",
      "IP (ttl 64, id 1, DF) 192.168.1.254 > 192.168.1.11: IP (ttl 64, id 1, DF) 10.0.0.1.9 > 10.0.0.100.53: udp, length 0, no checksum",
      "IP (ttl 64, id 1, frag 0+, bad checksum) 10.0.0.1.9 > 10.0.0.100.53: udp, length 2992",
      "IP (ttl 64, id 1, frag 1480) 10.0.0.1 > 10.0.0.100: proto 17, length 8",
      "IP (ttl 64, id 1, DF) 10.0.0.1 > 10.0.0.100: icmp type 3 code 4 mtu 1400 [IP (ttl 64, id 1, DF) 10.0.0.1.1 > 10.0.0.100.2: tcp seq 9]",
      "IP (ttl 64, id 1, DF) 10.0.0.1 > 10.0.0.100: icmp type 8 code 0 id 3 seq 4, length 8",
      "IP (ttl 64, id 1, DF) 10.0.0.1.1 > 10.0.0.100.2: sctp tag 5, chunks 1 10",
      "IP6 (hlim 64, frag 0+) fe80::1.1 > ff02::1.2: tcp [.], seq 0, ack 0, win 65535, length 0",
      "IP6 (hlim 64) fe80::1 > ff02::1: [broken extension headers]",
      "[IPv4 header needs 20 bytes, has 16]",
      "IP (ttl 64, id 1, DF) 10.0.0.1 > 10.0.0.100: proto 47, length 4",
    ]
  `);
});

it('gives one line for any bytes, cut and changed frames included', () => {
  const random = new Random();
  const frames = allFrames().map(([, bytes]) => bytes);
  for (let i = 0; i < 5000; i++) {
    const bytes = random.bool() ? random.bytes(random.below(120)) : Uint8Array.from(random.pick(frames));
    for (let flips = random.below(6); flips > 0 && bytes.length > 0; flips--)
      bytes[random.below(bytes.length)] = random.u8();
    const cut = bytes.subarray(0, random.below(bytes.length + 1));
    for (const line of [printFrame(cut), printPacket(cut)]) expect(line, `seed ${SEED} round ${i}`).toMatch(/^[^\n]+$/);
  }
});

it('does not follow tunnels without end', () => {
  const ip = { src: '10.0.0.1', dst: '10.0.0.2' };
  const nested = Array.from({ length: 40 }).reduce<ReturnType<typeof packet>>((p) => p.ipv4(ip), packet());
  expect(printPacket(nested.bytes()).match(/ttl/g)).toHaveLength(5);
});

it('writes TCP flags as tcpdump does', () => {
  const eth = packet().eth('02:00:00:00:c0:01', '02:00:00:00:0d:00').ipv4({ src: '10.0.0.1', dst: '10.0.0.2' });
  const printed = (flags: string) =>
    /tcp \[(.*?)\]/.exec(printFrame(eth.tcp({ sport: 1, dport: 2, flags }).bytes()))![1];
  expect(['S', 'SA', 'FPA', 'RA', 'A', 'SEC', 'U', ''].map(printed)).toEqual([
    'S',
    'S.',
    'FP.',
    'R.',
    '.',
    'SEW',
    'U',
    'none',
  ]);
});

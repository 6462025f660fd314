/** Tests the packet builder and the checker of frames. */
import { describe, expect, it, test } from 'vitest';
import { allFrames, KERNEL, unhex } from '../wire/kernelframes.js';
import { checkFrame, checkPacket, packet } from './packet.js';
import { Random, SEED } from './seed.js';

const eth = packet().eth('02:00:00:00:c0:01', '02:00:00:00:0d:00');
const v4 = { src: '10.0.0.1', dst: '10.0.0.100' };
const v6 = { src: '2001:db8::1', dst: '2001:db8::100' };
const ports = { sport: 4000, dport: 80 };

test.each(allFrames())("the checker finds nothing wrong in the kernel's %s", (_what, bytes) => {
  expect(checkFrame(bytes)).toEqual([]);
});

describe('the builder', () => {
  /** Name, frame, and the byte from which on checksums cover every bit. */
  const frames: [string, ReturnType<typeof packet>, number?][] = [
    ['arp', eth.arp({ op: 'request', senderMac: '02:00:00:00:c0:01', senderIp: '10.0.0.1', targetIp: '10.0.0.2' })],
    ['tcp', eth.ipv4(v4).tcp({ ...ports, flags: 'S', options: [{ kind: 1, data: new Uint8Array(0) }] }), 14],
    ['tcp with data, odd', eth.ipv4(v4).tcp(ports).payload('odd'), 14],
    ['udp', eth.ipv4(v4).udp(ports).payload(30), 14],
    [
      'udp without checksum',
      eth
        .ipv4(v4)
        .udp({ ...ports, checksum: 0 })
        .payload(30),
    ],
    ['icmp', eth.ipv4(v4).icmp({ type: 8, id: 1, seq: 2 }).payload(21), 14],
    ['icmp error', eth.ipv4(v4).icmp({ type: 3, code: 3 }).ipv4(v4).tcp(ports).payload(40).cut(28), 14],
    [
      'sctp',
      eth
        .ipv4(v4)
        .sctp({ ...ports, tag: 1, chunks: [{ type: 1, value: new Uint8Array(17) }] })
        .payload('data'),
      14,
    ],
    ['options', eth.ipv4({ ...v4, options: [{ kind: 148, data: new Uint8Array(2) }] }).udp(ports), 14],
    ['vlan', eth.vlan(5).ipv4(v4).tcp(ports), 18],
    ['qinq', eth.vlan(5, { tpid: 0x88a8 }).vlan(6).ipv4(v4).tcp(ports), 22],
    ['ipip', eth.ipv4({ src: '192.168.1.254', dst: '192.168.1.11' }).ipv4(v4).tcp(ports).payload('x'), 14],
    [
      'fragments',
      eth
        .ipv4({ ...v4, mf: true })
        .udp({ ...ports, length: 2000 })
        .payload(64),
    ],
    ['tcp6', eth.ipv6(v6).tcp(ports).payload('x'), 22],
    ['udp6 behind extensions', eth.ipv6(v6).extension(0).extension(60, new Uint8Array(9)).fragment({}).udp(ports), 86],
    ['icmp6', eth.ipv6(v6).icmp6({ type: 128, id: 1 }).payload('ping'), 22],
    [
      'neighbour',
      eth.ipv6(v6).neighbour({ target: v6.dst, advertise: { solicited: true }, mac: '02:00:00:00:0d:00' }),
      22,
    ],
    ['6in4', eth.ipv4(v4).ipv6(v6).udp(ports), 42],
    [
      '4in6',
      eth
        .ipv6(v6)
        .ipv4(v4)
        .sctp({ ...ports, chunks: [{ type: 6 }] }),
      54,
    ],
  ];

  test.each(frames)('makes a frame without fault: %s', (_what, frame) => expect(checkFrame(frame.bytes())).toEqual([]));

  const covered = frames.filter(([, , from]) => from !== undefined);
  test.each(covered)('and the checker sees each flipped bit and a lost byte in it: %s', (_what, frame, from = 0) => {
    const bytes = frame.bytes();
    const unseen = Array.from({ length: 8 * (bytes.length - from) }, (_, i) => 8 * from + i).filter((bit) => {
      const broken = Uint8Array.from(bytes);
      broken[bit >> 3]! ^= 1 << (bit & 7);
      return checkFrame(broken).length === 0;
    });
    expect(unseen).toEqual([]);
    expect(checkFrame(bytes.subarray(0, -1))).not.toEqual([]);
  });

  it("builds Linux's own datagram byte for byte", () => {
    const frame = packet()
      .eth('02:00:00:00:00:0a', '02:00:00:00:00:0b')
      .ipv4({ src: '192.0.2.1', dst: '192.0.2.2', id: 0x32ce });
    expect(frame.udp({ sport: 0xcbfe, dport: 9 }).payload('hello').hex()).toBe(KERNEL.udp);
  });

  it('shares a beginning without mixing ends', () => {
    const base = eth.ipv4(v4);
    const before = base.tcp(ports).hex();
    base.udp(ports).payload('x').bytes();
    expect(base.tcp(ports).hex()).toBe(before);
  });

  it('refuses words that mean nothing', () => {
    expect(() => packet().ipv4({ src: '10.0.0', dst: '10.0.0.1' })).toThrow("'10.0.0' is no address of this kind");
    expect(() => packet().tcp({ ...ports, flags: 'Q' })).toThrow("TCP flags 'Q'");
  });
});

describe('the checker', () => {
  it.each([
    ['ipv4 header checksum is 0x0001, should be 0x266b', eth.ipv4({ ...v4, checksum: 1 }).tcp({ ...ports })],
    ['ipv4/tcp checksum is 0x0001', eth.ipv4(v4).tcp({ ...ports, checksum: 1 })],
    ['ipv4/udp length is 9, the datagram has 8', eth.ipv4(v4).udp({ ...ports, length: 9 })],
    ['ipv4/icmp checksum is 0x0001', eth.ipv4(v4).icmp({ type: 8, checksum: 1 })],
    ['ipv4/sctp checksum is 0x0001', eth.ipv4(v4).sctp({ ...ports, checksum: 1 })],
    [
      'ipv4/icmp/quoted ipv4 header checksum is 0x0007',
      eth
        .ipv4(v4)
        .icmp({ type: 11 })
        .ipv4({ ...v4, checksum: 7 })
        .udp(ports),
    ],
    [
      'ipv4/ipv4/tcp checksum is 0x0001',
      eth
        .ipv4(v4)
        .ipv4(v4)
        .tcp({ ...ports, checksum: 1 }),
    ],
    [
      'ipv4 total length is 99, the packet has 240',
      eth
        .ipv4({ ...v4, totalLen: 99 })
        .tcp(ports)
        .payload(200),
    ],
    [
      'ipv6 payload length is 9, the packet has 220',
      eth
        .ipv6({ ...v6, payloadLen: 9 })
        .tcp(ports)
        .payload(200),
    ],
    ['ipv6/udp checksum is 0, which IPv6 forbids', eth.ipv6(v6).udp({ ...ports, checksum: 0 })],
    ['version 4 in a frame of type 0x86dd', packet().eth('02:00:00:00:00:01', '02:00:00:00:00:02', 0x86dd).ipv4(v4)],
  ])('names the fault: %s', (fault, frame) =>
    expect(checkFrame(frame.bytes())).toContainEqual(expect.stringContaining(fault)),
  );

  it('never throws on any bytes', () => {
    const random = new Random();
    const frames = allFrames().map(([, bytes]) => bytes);
    for (let i = 0; i < 3000; i++) {
      const bytes = random.bool() ? random.bytes(random.below(100)) : Uint8Array.from(random.pick(frames));
      if (bytes.length > 0) bytes[random.below(bytes.length)] = random.u8();
      const cut = bytes.subarray(0, random.below(bytes.length + 1));
      expect(Array.isArray(checkFrame(cut)) && Array.isArray(checkPacket(cut)), `seed ${SEED} round ${i}`).toBe(true);
    }
    expect(checkFrame(unhex(KERNEL.udp).subarray(0, 10))).toEqual(['frame has 10 bytes, less than an Ethernet header']);
  });
});

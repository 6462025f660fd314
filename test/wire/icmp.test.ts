/** ICMP and ICMPv6 messages, and neighbour discovery. */
import { describe, expect, it } from 'vitest';
import { parse6, parseMac } from '../../src/wire/address.js';
import { pseudo6, sum128 } from '../../src/wire/checksum.js';
import { viewOf } from '../../src/wire/decoded.js';
import * as icmp from '../../src/wire/icmp.js';
import * as icmp6 from '../../src/wire/icmp6.js';
import * as ipv4 from '../../src/wire/ipv4.js';
import * as ipv6 from '../../src/wire/ipv6.js';
import * as neighbour from '../../src/wire/neighbour.js';
import { checkFrame, packet } from '../support/packet.js';
import { Random } from '../support/seed.js';
import { filled, isUntouchedAround } from './filled.js';
import { hex, KERNEL, unhex } from './kernelframes.js';

const ETHS = ['02:00:00:00:00:0a', '02:00:00:00:00:0b'] as const;

describe('icmp', () => {
  it('reads and writes errors of Linux', () => {
    for (const [frame, type, code] of [
      [KERNEL.timeExceeded, icmp.TIME_EXCEEDED, 0],
      [KERNEL.portUnreachable, icmp.UNREACHABLE, icmp.PORT_UNREACHABLE],
    ] as const) {
      const bytes = unhex(frame).subarray(34);
      const view = viewOf(bytes);
      expect([icmp.type(view, 0), icmp.code(view, 0)]).toEqual([type, code]);
      expect(icmp.isChecksumGood(view, 0, bytes.length)).toBe(true);
      expect(ipv4.protocol(view, icmp.EMBEDDED)).toBe(ipv4.UDP);
      expect(hex(icmp.encode({ ...(icmp.decode(bytes) as icmp.Icmp), checksum: undefined }))).toBe(hex(bytes));
    }
  });

  it('knows errors', () => {
    const errors = Array.from({ length: 256 }, (_, type) => type).filter(icmp.isError);
    expect(errors).toEqual([3, 4, 5, 11, 12]);
  });

  it('gives any fields back', () => {
    const random = new Random();
    for (let i = 0; i < 300; i++) {
      const fields = {
        type: random.u8(),
        code: random.u8(),
        checksum: random.u16(),
        rest: random.u32(),
        payload: random.bytes(random.below(40)),
      };
      expect(icmp.decode(icmp.encode(fields))).toEqual(fields);
    }
    expect(icmp.decode(random.bytes(7))).toBe('ICMP header needs 8 bytes, has 7');
  });

  it('makes the reply of an echo request', () => {
    const ask = packet()
      .eth(...ETHS)
      .ipv4({ src: '10.0.0.1', dst: '10.0.0.2' })
      .icmp({ type: 8, code: 5, id: 7, seq: 1 })
      .payload('ping!');
    const bytes = ask.bytes();
    icmp.makeEchoReply(viewOf(bytes), 34);
    expect(checkFrame(bytes)).toEqual([]);
    expect([icmp.type(viewOf(bytes), 34), icmp.code(viewOf(bytes), 34)]).toEqual([icmp.ECHO_REPLY, 5]);
  });

  it('keeps its checksum through NAT of the quoted packet', () => {
    const error = (src: string, sport: number) =>
      packet()
        .eth(...ETHS)
        .ipv4({ src: '10.0.0.9', dst: '10.0.0.100' })
        .icmp({ type: 3, code: 4, mtu: 1400 })
        .ipv4({ src, dst: '10.0.0.1' })
        .tcp({ sport, dport: 4000, seq: 5, checksum: 0x1234 })
        .cut(28)
        .bytes();
    const bytes = error('10.0.0.100', 80);
    const view = viewOf(bytes);
    expect(icmp.mtu(view, 34)).toBe(1400);
    ipv4.rewriteSrc(view, 34 + icmp.EMBEDDED, 0xc0a8010b | 0);
    icmp.rewrite16(view, 34, 34 + icmp.EMBEDDED + 20, 8080);
    expect(hex(bytes)).toBe(hex(error('192.168.1.11', 8080)));
    icmp.rewriteMtu(view, 34, 1380);
    expect(checkFrame(bytes)).toEqual([]);
    expect(icmp.mtu(view, 34)).toBe(1380);
  });
});

describe('icmp6', () => {
  it('reads and writes an error of Linux', () => {
    const bytes = unhex(KERNEL.portUnreachable6);
    const view = viewOf(bytes);
    const len = bytes.length - 54;
    expect([icmp6.type(view, 54), icmp6.code(view, 54)]).toEqual([icmp6.UNREACHABLE, icmp6.PORT_UNREACHABLE]);
    expect(icmp6.isChecksumGood(view, 54, len, pseudo6(view, 14 + ipv6.SRC, 14 + ipv6.DST, ipv6.ICMP6, len))).toBe(
      true,
    );
    const addresses = sum128(parse6('2001:db8::2')!) + sum128(parse6('2001:db8::1')!);
    const decoded = icmp6.decode(bytes.subarray(54)) as icmp6.Icmp6;
    expect(hex(icmp6.encode({ ...decoded, checksum: undefined }, addresses))).toBe(hex(bytes.subarray(54)));
  });

  it('changes its checksum with the addresses', () => {
    const bytes = unhex(KERNEL.portUnreachable6);
    const view = viewOf(bytes);
    icmp6.fix(view, 54, ipv6.rewriteDst(view, 14, parse6('2001:db8:ffff::8000:1')!));
    expect(checkFrame(bytes)).toEqual([]);
    icmp6.fillChecksum(view, 54, bytes.length - 54, pseudo6(view, 22, 38, 58, bytes.length - 54));
    expect(checkFrame(bytes)).toEqual([]);
  });

  it('reads the MTU and makes echo replies', () => {
    const base = packet()
      .eth(...ETHS)
      .ipv6({ src: 'fe80::1', dst: 'fe80::2' });
    expect(icmp6.mtu(viewOf(base.icmp6({ type: 2, mtu: 1280 }).bytes()), 54)).toBe(1280);
    const bytes = base.icmp6({ type: 128, id: 1, seq: 2 }).payload('x').bytes();
    icmp6.makeEchoReply(viewOf(bytes), 54);
    expect(checkFrame(bytes)).toEqual([]);
    expect(icmp6.isError(icmp6.type(viewOf(bytes), 54))).toBe(false);
    expect([1, 2, 3, 4, 127].every(icmp6.isError)).toBe(true);
  });
});

describe('neighbour discovery', () => {
  const [asking, telling] = [unhex(KERNEL.solicitation), unhex(KERNEL.advertisement)];
  const target = parse6('2001:db8::2')!;

  it("reads and writes Linux's solicitation and advertisement", () => {
    const flags = { router: false, solicited: false, override: false };
    const ask = { advertisement: false, ...flags, target, mac: parseMac('02:00:00:00:00:0a') };
    const tell = {
      advertisement: true,
      ...flags,
      solicited: true,
      override: true,
      target,
      mac: parseMac('02:00:00:00:00:0b'),
    };
    const group = neighbour.solicitedNode(target);
    const me = parse6('2001:db8::1')!;
    expect(neighbour.decode(asking.subarray(54))).toEqual(ask);
    expect(hex(neighbour.encode(ask, sum128(me) + sum128(group)))).toBe(hex(asking.subarray(54)));
    expect(group).toEqual(parse6('ff02::1:ff00:2'));
    expect(neighbour.decode(telling.subarray(54))).toEqual(tell);
    expect(hex(neighbour.encode(tell, sum128(me) + sum128(target)))).toBe(hex(telling.subarray(54)));
  });

  it('finds MACs and targets in place', () => {
    const view = viewOf(asking);
    expect(neighbour.findMac(view, 54, asking.length, neighbour.SOURCE_MAC)).toBe(80);
    expect(neighbour.findMac(view, 54, asking.length, neighbour.TARGET_MAC)).toBe(-1);
    expect(neighbour.findMac(view, 54, asking.length - 1, neighbour.SOURCE_MAC)).toBe(-1);
    expect([0, 1, 2, 3].map((i) => neighbour.targetWord(view, 54, i))).toEqual([...target]);
    expect(neighbour.multicastMac(neighbour.solicitedNode(target))).toEqual([0x3333, 0xff000002 | 0]);
  });

  it('gives any fields back and never throws on any bytes', () => {
    const random = new Random();
    for (let i = 0; i < 1000; i++) {
      const advertisement = random.bool();
      const flag = () => advertisement && random.bool();
      const mac = random.bool() ? ([random.u16(), random.i32()] as const) : undefined;
      const fields = {
        advertisement,
        router: flag(),
        solicited: flag(),
        override: flag(),
        target: random.words(4),
        mac,
      };
      expect(neighbour.decode(neighbour.encode(fields, 0))).toEqual(fields);
      const noise = random.bytes(random.below(60));
      if (noise.length > 0) noise[0] = random.pick([135, 136, noise[0]!]);
      expect(['string', 'object']).toContain(typeof neighbour.decode(noise));
    }
    const endless = new Uint8Array(40);
    expect(neighbour.findMac(viewOf(endless), 0, 40, neighbour.SOURCE_MAC)).toBe(-1);
    expect(neighbour.decode(new Uint8Array(24))).toBe('ICMPv6 type 0 is no neighbour message');
  });
});

it('setters touch nothing but the message', () => {
  const bytes = icmp.encode({ type: 8, payload: Uint8Array.of(1, 2, 3) });
  const { view, u8 } = filled(bytes);
  icmp.rewriteMtu(view, 64, 99);
  icmp.makeEchoReply(view, 64);
  icmp.fillChecksum(view, 64, bytes.length);
  expect(icmp.isChecksumGood(view, 64, bytes.length)).toBe(true);
  expect(isUntouchedAround(u8, 64, 64 + bytes.length)).toBe(true);
});

/** Outer headers of IP in IP. */
import { expect, it } from 'vitest';
import { parse4, parse6 } from '../../src/wire/address.js';
import * as ipip from '../../src/wire/ipip.js';
import * as ipv4 from '../../src/wire/ipv4.js';
import * as ipv6 from '../../src/wire/ipv6.js';
import { checkPacket, packet } from '../support/packet.js';
import { filled, isUntouchedAround } from './filled.js';
import { hex } from './kernelframes.js';

const DIP = parse4('192.168.1.254')!;
const RIP = parse4('192.168.1.11')!;
const inner4 = { src: '10.0.0.1', dst: '10.0.0.100', ttl: 63, tos: 0x2f };
const inner6 = { src: '2001:db8::1', dst: '2001:db8::100', hopLimit: 63, trafficClass: 0xb8 };
const syn = { sport: 4000, dport: 80, flags: 'S' };

it('prepends an IPv4 header into the headroom, writing every byte of it', () => {
  const inner = packet().ipv4(inner4).tcp(syn).payload('hello').bytes();
  const { view, u8 } = filled(inner);
  const outer = ipip.encapsulate4(view, 64, inner.length, DIP, RIP, 0x1234, true);
  expect(outer).toBe(44);
  const wanted = packet()
    .ipv4({ src: '192.168.1.254', dst: '192.168.1.11', ttl: 63, tos: 0x2e, id: 0x1234 })
    .ipv4(inner4)
    .tcp(syn)
    .payload('hello')
    .bytes();
  expect(hex(u8.subarray(outer, 64 + inner.length))).toBe(hex(wanted));
  expect(checkPacket(u8.subarray(outer, 64 + inner.length))).toEqual([]);
  expect(isUntouchedAround(u8, outer, 64 + inner.length)).toBe(true);
});

it('copies DF only when told and only from IPv4', () => {
  const df = (bytes: Uint8Array, copy: boolean) => {
    const { view } = filled(bytes);
    return ipv4.dontFragment(view, ipip.encapsulate4(view, 64, bytes.length, DIP, RIP, 1, copy));
  };
  const [set, clear] = [true, false].map((flag) =>
    packet()
      .ipv4({ ...inner4, df: flag })
      .udp({ sport: 1, dport: 2 })
      .bytes(),
  );
  expect([df(set!, true), df(set!, false), df(clear!, true)]).toEqual([true, false, false]);
  // 103 (PIM) is the next header here because in its place IPv4 has DF, and 103 has that bit set.
  expect(
    df(
      packet()
        .ipv6({ ...inner6, nextHeader: 103 })
        .payload(8)
        .bytes(),
      true,
    ),
  ).toBe(false);
});

it('carries IPv6 in IPv4', () => {
  const inner = packet().ipv6(inner6).tcp(syn).bytes();
  const { view, u8 } = filled(inner);
  const outer = ipip.encapsulate4(view, 64, inner.length, DIP, RIP, 9, true);
  expect([ipv4.protocol(view, outer), ipv4.tos(view, outer), ipv4.ttl(view, outer)]).toEqual([ipv4.IPV6, 0xb8, 63]);
  expect(checkPacket(u8.subarray(outer, 64 + inner.length))).toEqual([]);
});

it('prepends an IPv6 header to either version', () => {
  const [src, dst] = [parse6('2001:db8:1::1')!, parse6('2001:db8:1::2')!];
  const outer6 = { src: '2001:db8:1::1', dst: '2001:db8:1::2', hopLimit: 63 };
  for (const [inner, wanted] of [
    [
      packet().ipv4(inner4).tcp(syn),
      packet()
        .ipv6({ ...outer6, trafficClass: 0x2e })
        .ipv4(inner4)
        .tcp(syn),
    ],
    [
      packet().ipv6(inner6).tcp(syn),
      packet()
        .ipv6({ ...outer6, trafficClass: 0xb8 })
        .ipv6(inner6)
        .tcp(syn),
    ],
  ] as const) {
    const bytes = inner.bytes();
    const { view, u8 } = filled(bytes);
    const outer = ipip.encapsulate6(view, 64, bytes.length, src, dst);
    expect(outer).toBe(64 - ipv6.HEADER);
    expect(hex(u8.subarray(outer, 64 + bytes.length))).toBe(hex(wanted.bytes()));
    expect(isUntouchedAround(u8, outer, 64 + bytes.length)).toBe(true);
  }
});

it('copies ECN but for "congestion experienced" (RFC 3168, 9.1.1, full functionality)', () => {
  expect([0xb8, 0xb9, 0xba, 0xbb].map(ipip.outerTos)).toEqual([0xb8, 0xb9, 0xba, 0xba]);
});

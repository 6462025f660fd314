/** IPv6 headers and extension headers. */
import { describe, expect, it } from 'vitest';
import { parse6 } from '../../src/wire/address.js';
import { concat, viewOf } from '../../src/wire/decoded.js';
import * as extensions from '../../src/wire/extensions.js';
import * as ipv6 from '../../src/wire/ipv6.js';
import * as tcp from '../../src/wire/tcp.js';
import { checkFrame, packet } from '../support/packet.js';
import { Random, SEED } from '../support/seed.js';
import { filled, isUntouchedAround } from './filled.js';
import { hex, KERNEL, unhex } from './kernelframes.js';

const IP = 14;
const ENDS = { src: '2001:db8::1', dst: '2001:db8::2' };

function randomFields(random: Random): ipv6.Ipv6 {
  const payload = random.bytes(random.below(60));
  return {
    trafficClass: random.u8(),
    flowLabel: random.below(1 << 20),
    payloadLen: payload.length,
    nextHeader: random.u8(),
    hopLimit: random.u8(),
    src: random.words(4),
    dst: random.words(4),
    payload,
  };
}

describe('header', () => {
  it("reads Linux's SYN", () => {
    const view = viewOf(unhex(KERNEL.syn6));
    expect(ipv6.version(view, IP)).toBe(6);
    expect([ipv6.trafficClass(view, IP), ipv6.flowLabel(view, IP)]).toEqual([0, 0x07c30]);
    expect([ipv6.payloadLen(view, IP), ipv6.nextHeader(view, IP), ipv6.hopLimit(view, IP)]).toEqual([40, 6, 64]);
    const [src, dst] = [new Int32Array(4), new Int32Array(5)];
    ipv6.readSrc(view, IP, src);
    ipv6.readDst(view, IP, dst, 1);
    expect(src).toEqual(parse6(ENDS.src));
    expect(dst.subarray(1)).toEqual(parse6(ENDS.dst));
    expect([ipv6.srcWord(view, IP, 0), ipv6.dstWord(view, IP, 3)]).toEqual([0x20010db8, 2]);
  });

  it('gives any fields back, and writes over old bytes', () => {
    const random = new Random();
    for (let i = 0; i < 500; i++) {
      const fields = randomFields(random);
      const bytes = ipv6.encode(fields);
      expect(ipv6.decode(bytes), `seed ${SEED} round ${i}`).toEqual(fields);
      const { view, u8 } = filled(new Uint8Array(40).fill(0xa5));
      ipv6.setTrafficClass(view, 64, fields.trafficClass, fields.flowLabel);
      ipv6.setPayloadLen(view, 64, fields.payload.length);
      ipv6.setNextHeader(view, 64, fields.nextHeader);
      ipv6.setHopLimit(view, 64, fields.hopLimit);
      ipv6.rewriteSrc(view, 64, fields.src);
      ipv6.rewriteDst(view, 64, fields.dst);
      expect(hex(u8.subarray(64, 104))).toBe(hex(bytes.subarray(0, 40)));
      expect(isUntouchedAround(u8, 64, 104)).toBe(true);
    }
  });

  it('says why bytes are no IPv6, and never throws', () => {
    const good = ipv6.encode({ payload: new Uint8Array(5) });
    expect(ipv6.decode(good.subarray(0, 39))).toBe('IPv6 header needs 40 bytes, has 39');
    expect(ipv6.decode(Uint8Array.from(good).fill(0x45, 0, 1))).toBe('IPv6 version is 4');
    expect(ipv6.decode(good.subarray(0, 44))).toBe('IPv6 payload length 5 of 4 bytes');
    expect(ipv6.decode(good.subarray(0, 44), true)).toMatchObject({ payloadLen: 5 });
    const random = new Random();
    for (let i = 0; i < 2000; i++)
      expect(['string', 'object']).toContain(typeof ipv6.decode(random.bytes(random.below(90))));
  });

  it('NAT of addresses and ports keeps the TCP checksum right', () => {
    const random = new Random();
    for (let i = 0; i < 500; i++) {
      const bytes = packet()
        .eth('02:00:00:00:00:01', '02:00:00:00:00:02')
        .ipv6(ENDS)
        .tcp({ sport: 1, dport: 80, flags: 'S' })
        .payload(i % 7)
        .bytes();
      const view = viewOf(bytes);
      const words = random.words(8);
      tcp.rewriteDport(view, 54, random.u16(), ipv6.rewriteDst(view, IP, words, 4));
      tcp.rewriteSport(view, 54, random.u16(), ipv6.rewriteSrc(view, IP, words));
      ipv6.decrementHopLimit(view, IP);
      expect(checkFrame(bytes), `seed ${SEED} round ${i}`).toEqual([]);
      expect(ipv6.hopLimit(view, IP)).toBe(63);
    }
  });
});

describe('extension headers', () => {
  const chain = new extensions.Chain();
  const walk = (bytes: Uint8Array) => extensions.walk(viewOf(bytes), 0, bytes.length, chain);
  const ip = packet().ipv6(ENDS);

  it('finds the transport header at once when there are none', () => {
    expect(walk(ip.udp({ sport: 1, dport: 2 }).bytes())).toBe(true);
    expect(chain).toMatchObject({
      protocol: 17,
      offset: 40,
      named: 6,
      fragment: -1,
      fragmentOffset: 0,
      moreFragments: false,
    });
  });

  it("passes the hop-by-hop header of Linux's multicast report", () => {
    const bytes = unhex(KERNEL.multicastReport).subarray(14);
    expect(walk(bytes)).toBe(true);
    expect(chain).toMatchObject({ protocol: ipv6.ICMP6, offset: 48, named: 40, fragment: -1 });
  });

  it('passes all kinds in a row', () => {
    const bytes = ip
      .extension(extensions.HOP_BY_HOP)
      .extension(extensions.DESTINATION, new Uint8Array(9))
      .extension(extensions.ROUTING)
      .fragment({ more: true, id: -7 })
      .tcp({ sport: 1, dport: 2 })
      .bytes();
    expect(walk(bytes)).toBe(true);
    expect(chain).toMatchObject({
      protocol: 6,
      offset: 80,
      named: 72,
      fragment: 72,
      fragmentOffset: 0,
      moreFragments: true,
    });
    expect(extensions.fragmentId(viewOf(bytes), chain.fragment)).toBe(-7);
    expect(hex(bytes.subarray(48, 64))).toBe('2b010000000000000000000000000000');
  });

  it('counts an authentication header in words of 4 bytes', () => {
    const auth = concat(Uint8Array.of(6, 4), new Uint8Array(22));
    const bytes = packet()
      .ipv6({ ...ENDS, nextHeader: extensions.AUTHENTICATION })
      .payload(concat(auth, tcp.encode({})))
      .bytes();
    expect(walk(bytes)).toBe(true);
    expect(chain).toMatchObject({ protocol: 6, offset: 64 });
  });

  it('stops at a later fragment and at "no next header"', () => {
    expect(walk(ip.fragment({ offset: 1448, protocol: extensions.HOP_BY_HOP }).payload(3).bytes())).toBe(true);
    expect(chain).toMatchObject({ protocol: 0, offset: 48, fragment: 40, fragmentOffset: 1448, moreFragments: false });
    expect(walk(ip.extension(extensions.DESTINATION).bytes())).toBe(true);
    expect(chain).toMatchObject({ protocol: extensions.NONE, offset: 48, fragment: -1, fragmentOffset: 0 });
  });

  it('refuses headers that reach beyond the end and chains without one', () => {
    const two = ip.extension(extensions.HOP_BY_HOP).extension(extensions.DESTINATION, new Uint8Array(20)).bytes();
    for (let end = 40; end < two.length; end++) expect(walk(two.subarray(0, end)), `end ${end}`).toBe(false);
    const many = (n: number) =>
      Array.from({ length: n })
        .reduce<typeof ip>((p) => p.extension(extensions.DESTINATION), ip)
        .udp({ sport: 1, dport: 2 })
        .bytes();
    expect(walk(many(8))).toBe(true);
    expect(walk(many(9))).toBe(false);
  });

  it('stays within any bytes', () => {
    const random = new Random();
    for (let i = 0; i < 5000; i++) {
      const bytes = random.bytes(random.between(40, 120));
      for (let at = 40; at < bytes.length; at += 8) bytes[at] = random.pick([0, 43, 44, 51, 60, 6, bytes[at]!]);
      bytes[6] = random.pick([0, 43, 44, 51, 60]);
      if (walk(bytes)) expect(chain.offset).toBeLessThanOrEqual(bytes.length);
    }
  });
});

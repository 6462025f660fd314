/** Encoding and decoding of netlink messages, on known bytes and random ones. */
import { describe, expect, it } from 'vitest';
import { decodeDone, decodeError } from '../../src/netlink/ack.js';
import { Attributes, encodeAttribute, encodeU32 } from '../../src/netlink/attribute.js';
import { decodeChange, getType, groupMask, KINDS } from '../../src/netlink/change.js';
import { AF_INET, NLM_F, NLMSG, RTA, RTM } from '../../src/netlink/constants.js';
import { MalformedMessage } from '../../src/netlink/error.js';
import { encodeLinkDump } from '../../src/netlink/link.js';
import { encodeMessage, joinAligned, type Message, messages } from '../../src/netlink/message.js';
import { encodeNeighbourSet } from '../../src/netlink/neighbour.js';
import { encodeRouteDump } from '../../src/netlink/route.js';
import { encodeRuleDump } from '../../src/netlink/rule.js';
import { openRequestSocket, receive } from '../../src/netlink/socket.js';
import * as libc from '../../src/sys/libc.js';
import { Random } from '../support/seed.js';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
const message = (type: number, body: Uint8Array, flags = 0): Message => ({ type, flags, seq: 1, portId: 0, body });

/**
 * 10.21.0.0/24 table 1000 proto boot: via 10.1.0.2 dev 2 weight 3, via 10.2.0.2 dev 3 weight 200
 * dead onlink; mtu 1400.
 */
const MULTIPATH = joinAligned([
  bytes('02 18 00 00 fc 03 00 01 00000000'),
  encodeAttribute(RTA.DST, bytes('0a150000')),
  encodeU32(RTA.TABLE, 1000),
  encodeAttribute(RTA.METRICS | 0x8000, encodeU32(2, 1400)),
  encodeAttribute(
    RTA.MULTIPATH,
    bytes('1000 00 02 02000000 0800 0500 0a010002  1000 05 c7 03000000 0800 0500 0a020002'),
  ),
]);

describe('messages', () => {
  it('are known bytes: RTM_NEWNEIGH 10.0.0.1 is 02:00:00:00:0b:01 on interface 7, permanent', () => {
    const body = encodeNeighbourSet(7, '10.0.0.1', '02:00:00:00:0b:01', 'PERMANENT');
    expect(Buffer.from(encodeMessage(RTM.NEWNEIGH, NLM_F.REQUEST | NLM_F.ACK, 5, body)).toString('hex')).toBe(
      '300000001c0005000500000000000000' + '020000000700000080000000' + '080001000a000001' + '0a000200020000000b010000',
    );
  });

  it('come back as they went, several in a datagram, padded or not', () => {
    const random = new Random();
    for (let round = 0; round < 200; round++) {
      const bodies = Array.from({ length: random.between(1, 5) }, () => random.bytes(random.below(40)));
      const datagram = Buffer.concat(bodies.map((body, i) => encodeMessage(RTM.NEWLINK, NLM_F.MULTI, i, body)));
      const decoded = [...messages(datagram)];
      expect(decoded.map(({ body }) => [...body])).toEqual(bodies.map((body) => [...body]));
      expect(decoded.map(({ seq, type, flags }) => [seq, type, flags])).toEqual(
        bodies.map((_, i) => [i, RTM.NEWLINK, NLM_F.MULTI]),
      );
    }
  });

  it('with lengths that point outside are refused', () => {
    const good = encodeMessage(RTM.NEWLINK, 0, 1, bytes('01020304'));
    for (const len of [0, 15, 21, 0xffffffff]) {
      const bad = good.slice();
      new DataView(bad.buffer).setUint32(0, len, true);
      expect(() => [...messages(bad)]).toThrow(MalformedMessage);
    }
    expect(() => [...messages(good.subarray(0, 12))]).toThrow('netlink: header has 12 bytes, 16 needed');
  });
});

describe('attributes', () => {
  it('come back as they went', () => {
    const random = new Random();
    for (let round = 0; round < 200; round++) {
      const values = new Map(
        Array.from({ length: random.below(8) }, () => [random.below(100), random.bytes(random.below(20))]),
      );
      const decoded = new Attributes(joinAligned([...values].map(([type, value]) => encodeAttribute(type, value))));
      for (const [type, value] of values) expect(decoded.bytes(type)).toEqual(value);
      expect(decoded.has(101)).toBe(false);
    }
  });

  it('too short for their type are refused', () => {
    const attributes = new Attributes(encodeAttribute(3, bytes('0102')));
    expect(attributes.u16(3)).toBe(0x0201);
    expect(() => attributes.u32(3)).toThrow('netlink: attribute 3 has 2 bytes, 4 needed');
    expect(() => new Attributes(bytes('0300 0100'))).toThrow(MalformedMessage);
    expect(() => new Attributes(bytes('0900 0100 00000000'))).toThrow(MalformedMessage);
  });

  it('hold text with and without its NUL', () => {
    expect(new Attributes(encodeAttribute(1, Buffer.from('eth0\0'))).text(1)).toBe('eth0');
    expect(new Attributes(encodeAttribute(1, Buffer.from('eth0'))).text(1)).toBe('eth0');
  });
});

describe('records', () => {
  it('a multipath route, known bytes', () => {
    expect(decodeChange(message(RTM.NEWROUTE, MULTIPATH, NLM_F.REPLACE))).toEqual({
      kind: 'route',
      action: 'set',
      replaces: true,
      record: {
        family: 4,
        dst: '10.21.0.0/24',
        type: 'unicast',
        table: 1000,
        priority: 0,
        scope: 'global',
        protocol: 'boot',
        tos: 0,
        mtu: 1400,
        gateway: '10.1.0.2',
        oif: 2,
        cached: false,
        nexthops: [
          { gateway: '10.1.0.2', oif: 2, weight: 3, onlink: false, dead: false, linkdown: false },
          { gateway: '10.2.0.2', oif: 3, weight: 200, onlink: true, dead: true, linkdown: false },
        ],
      },
    });
  });

  it('a neighbour, encoded and decoded', () => {
    const body = encodeNeighbourSet(7, '2001:db8::1', '02:00:00:00:0b:0c', 'STALE');
    expect(decodeChange(message(RTM.DELNEIGH, body))).toMatchObject({
      action: 'del',
      record: { family: 6, ifindex: 7, ip: '2001:db8::1', mac: '02:00:00:00:0b:0c', state: 'STALE', valid: true },
    });
  });

  it('of other families and other types are none of ours', () => {
    const bridge = new Uint8Array(16);
    bridge[0] = 7;
    for (const type of [RTM.NEWLINK, RTM.DELLINK, RTM.NEWNEIGH, RTM.NEWADDR, RTM.NEWROUTE, RTM.NEWRULE])
      expect(decodeChange(message(type, bridge))).toBeUndefined();
    for (const type of [NLMSG.NOOP, RTM.GETLINK, RTM.GETLINK + 1, 36, 1000])
      expect(decodeChange(message(type, bridge))).toBeUndefined();
  });

  it('have their message types and groups', () => {
    expect(KINDS.map(getType)).toEqual([RTM.GETLINK, RTM.GETADDR, RTM.GETROUTE, RTM.GETRULE, RTM.GETNEIGH]);
    expect(groupMask(['link', 'neighbour'])).toBe(0b101);
    expect(groupMask(['address', 'route', 'rule'])).toBe(0x10 | 0x40 | 0x80 | 0x100 | 0x400 | 0x40000);
  });

  it('prefixes longer than an address are refused', () => {
    const route = MULTIPATH.slice();
    route[1] = 33;
    expect(() => decodeChange(message(RTM.NEWROUTE, route))).toThrow('prefix length');
  });
});

describe('acknowledgements', () => {
  const header = bytes('14000000 1a000500 01000000 00000000');
  const why = encodeAttribute(1, Buffer.from('Invalid prefix\0'));

  it('carry errno and explanation, capped or with the request', () => {
    const capped = joinAligned([bytes('eaffffff'), header, why]);
    expect(decodeError(message(NLMSG.ERROR, capped, NLM_F.CAPPED | NLM_F.ACK_TLVS))).toEqual({
      errno: 22,
      detail: 'Invalid prefix',
    });
    const whole = joinAligned([bytes('eaffffff'), header, bytes('02000000'), why]);
    expect(decodeError(message(NLMSG.ERROR, whole, NLM_F.ACK_TLVS))).toEqual({ errno: 22, detail: 'Invalid prefix' });
    expect(decodeError(message(NLMSG.ERROR, capped, NLM_F.CAPPED))).toEqual({ errno: 22, detail: '' });
    expect(decodeDone(message(NLMSG.DONE, bytes('00000000')))).toEqual({ errno: 0, detail: '' });
    expect(decodeDone(message(NLMSG.DONE, bytes('fcffffff')))).toEqual({ errno: 4, detail: '' });
  });
});

/** What this machine's kernel sends, as many kinds as it has; unprivileged. */
function realDatagrams(): Uint8Array[] {
  const fd = openRequestSocket();
  const buffer = new Uint8Array(1 << 16);
  const requests: [number, Uint8Array][] = [
    [RTM.GETLINK, encodeLinkDump()],
    [RTM.GETADDR, Uint8Array.of(AF_INET, 0, 0, 0, 0, 0, 0, 0)],
    [RTM.GETROUTE, encodeRouteDump(4)],
    [RTM.GETROUTE, encodeRouteDump(6)],
    [RTM.GETRULE, encodeRuleDump(4)],
    [RTM.GETROUTE, Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
  ];
  const datagrams: Uint8Array[] = [];
  for (const [type, body] of requests) {
    const request = encodeMessage(type, NLM_F.REQUEST | NLM_F.DUMP, 1, body);
    libc.check(libc.send(fd, request, request.length, 0), 'send');
    for (let ended = false; !ended; ) {
      const datagram = receive(fd, buffer, 0)?.slice() ?? new Uint8Array();
      ended =
        [...messages(datagram)].some(({ type }) => type === NLMSG.DONE || type === NLMSG.ERROR) ||
        datagram.length === 0;
      datagrams.push(datagram);
    }
  }
  libc.close(fd);
  return datagrams;
}

describe('the decoder, fuzzed', () => {
  const neighbour = encodeNeighbourSet(7, '10.0.0.1', '02:00:00:00:0b:0c', 'REACHABLE');
  const corpus = [
    ...realDatagrams(),
    encodeMessage(RTM.NEWROUTE, 0, 1, MULTIPATH),
    encodeMessage(RTM.NEWNEIGH, 0, 1, neighbour),
  ];

  /** Decodes everything that can be; the codec's own error is the only one allowed. */
  function decodeAll(datagram: Uint8Array): 'fine' | 'malformed' {
    try {
      for (const one of messages(datagram)) {
        if (one.type === NLMSG.ERROR) decodeError(one);
        else if (one.type === NLMSG.DONE) decodeDone(one);
        else decodeChange(one);
      }
      return 'fine';
    } catch (error) {
      if (error instanceof MalformedMessage) return 'malformed';
      throw new Error(`${error} from ${Buffer.from(datagram).toString('hex')}`);
    }
  }

  it('starts from real messages, all of which decode', () => {
    expect(corpus.length).toBeGreaterThan(6);
    for (const datagram of corpus) expect(decodeAll(datagram)).toBe('fine');
  });

  it('survives every truncation', () => {
    for (const datagram of corpus)
      for (let len = 0; len < Math.min(datagram.length, 3000); len++) decodeAll(datagram.subarray(0, len));
    for (let len = 1; len < MULTIPATH.length; len++) {
      // With the length made right again, so that it is the body that ends early.
      const outcome = decodeAll(encodeMessage(RTM.NEWROUTE, 0, 1, MULTIPATH.subarray(0, len)));
      if (len < 12) expect(outcome).toBe('malformed');
    }
  });

  it('survives flipped bytes in real messages', () => {
    const random = new Random();
    const outcomes = { fine: 0, malformed: 0 };
    for (let round = 0; round < 20_000; round++) {
      const datagram = random.pick(corpus).slice(0, 2048);
      for (let n = random.between(1, 6); n > 0; n--) datagram[random.below(datagram.length)] = random.u8();
      outcomes[decodeAll(datagram)]++;
    }
    // Both must have happened often, or the input was too tame or too wild to show anything.
    expect(outcomes.fine).toBeGreaterThan(500);
    expect(outcomes.malformed).toBeGreaterThan(500);
  });

  it('survives noise in every message type', () => {
    const random = new Random();
    for (let round = 0; round < 20_000; round++) {
      const body = random.bytes(random.below(120));
      // A family of ours, so that decoding goes on past it.
      if (body.length > 0) body[0] = random.pick([0, 2, 10]);
      decodeAll(encodeMessage(random.pick([2, 3, 16, 17, 20, 21, 24, 25, 28, 29, 32, 33]), random.u16(), 1, body));
    }
  });
});

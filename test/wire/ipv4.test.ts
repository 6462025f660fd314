/** IPv4 headers. */
import { describe, expect, it, test } from 'vitest';
import { parse4 } from '../../src/wire/address.js';
import { viewOf } from '../../src/wire/decoded.js';
import * as ipv4 from '../../src/wire/ipv4.js';
import * as tcp from '../../src/wire/tcp.js';
import * as udp from '../../src/wire/udp.js';
import { Random, SEED } from '../support/seed.js';
import { filled, isUntouchedAround } from './filled.js';
import { FORWARDED, hex, KERNEL, unhex } from './kernelframes.js';

const IP = 14;

function randomFields(random: Random): ipv4.Ipv4 {
  const options = random.bytes(4 * random.below(11));
  const payload = random.bytes(random.below(80));
  return {
    tos: random.u8(),
    totalLen: ipv4.HEADER + options.length + payload.length,
    id: random.u16(),
    dontFragment: random.bool(),
    moreFragments: random.bool(),
    fragmentOffset: 8 * random.below(8192),
    ttl: random.u8(),
    protocol: random.u8(),
    checksum: random.u16(),
    src: random.i32(),
    dst: random.i32(),
    options,
    payload,
  };
}

describe('on frames of the kernel', () => {
  it('reads every field', () => {
    const bytes = unhex(KERNEL.timeExceeded);
    const view = viewOf(bytes);
    expect(ipv4.version(view, IP)).toBe(4);
    expect(ipv4.headerLen(view, IP)).toBe(20);
    expect(ipv4.tos(view, IP)).toBe(0xc0);
    expect(ipv4.totalLen(view, IP)).toBe(bytes.length - IP);
    expect(ipv4.dontFragment(view, IP)).toBe(false);
    expect(ipv4.dontFragment(view, IP + 28)).toBe(true);
    expect(ipv4.isFragment(view, IP)).toBe(false);
    expect([ipv4.ttl(view, IP), ipv4.ttl(view, IP + 28)]).toEqual([64, 1]);
    expect(ipv4.protocol(view, IP)).toBe(ipv4.ICMP);
    expect(ipv4.src(view, IP)).toBe(parse4('10.0.0.100'));
    expect(ipv4.dst(view, IP)).toBe(parse4('10.0.0.2'));
    expect(ipv4.isChecksumGood(view, IP)).toBe(true);
  });

  /** What IPVS did to each packet, done with the setters: the same bytes must come out. */
  test.each(FORWARDED)('forwards as IPVS does: %s', (_what, input, output) => {
    const bytes = unhex(input);
    const [view, right] = [viewOf(bytes), viewOf(unhex(output))];
    const l4 = IP + 20;
    const l4of = ipv4.protocol(view, IP) === ipv4.TCP ? tcp : udp;
    ipv4.decrementTtl(view, IP);
    const delta = ipv4.rewriteSrc(view, IP, ipv4.src(right, IP)) + ipv4.rewriteDst(view, IP, ipv4.dst(right, IP));
    l4of.rewriteSport(view, l4, tcp.sport(right, l4), delta);
    l4of.rewriteDport(view, l4, tcp.dport(right, l4));
    expect(hex(bytes).slice(2 * IP)).toBe(output.slice(2 * IP));
  });
});

describe('encode and decode', () => {
  it('give any fields back, and the bytes', () => {
    const random = new Random();
    for (let i = 0; i < 500; i++) {
      const fields = randomFields(random);
      const bytes = ipv4.encode(fields);
      expect(ipv4.decode(bytes), `seed ${SEED} round ${i}`).toEqual(fields);
      expect(ipv4.decode(Uint8Array.of(...bytes, 1, 2, 3))).toEqual(fields);
    }
  });

  it('compute length and checksum when not given', () => {
    const random = new Random();
    for (let i = 0; i < 300; i++) {
      const bytes = ipv4.encode({ ...randomFields(random), totalLen: undefined, checksum: undefined });
      expect(ipv4.isChecksumGood(viewOf(bytes), 0)).toBe(true);
      expect(ipv4.totalLen(viewOf(bytes), 0)).toBe(bytes.length);
    }
  });

  it('say why bytes are no IPv4', () => {
    const good = ipv4.encode({ payload: new Uint8Array(10) });
    const bad = (at: number, value: number) => ipv4.decode(Uint8Array.from(good).fill(value, at, at + 1));
    expect(ipv4.decode(good.subarray(0, 19))).toBe('IPv4 header needs 20 bytes, has 19');
    expect(bad(0, 0x65)).toBe('IPv4 version is 6');
    expect(bad(0, 0x44)).toBe('IPv4 header length 16 of 30 bytes');
    expect(bad(0, 0x48)).toBe('IPv4 header length 32 of 30 bytes');
    expect(bad(3, 19)).toBe("IPv4 total length 19 is below its header's 20");
    expect(ipv4.decode(good.subarray(0, 29))).toBe('IPv4 total length 30 of 29 bytes');
    expect(ipv4.decode(good.subarray(0, 29), true)).toMatchObject({ totalLen: 30, payload: new Uint8Array(9) });
  });

  it('never throws on any bytes', () => {
    const random = new Random();
    for (let i = 0; i < 3000; i++) {
      const bytes = random.bytes(random.below(64));
      if (random.bool() && bytes.length > 0) bytes[0] = 0x45;
      const decoded = ipv4.decode(bytes, random.bool());
      expect(['string', 'object']).toContain(typeof decoded);
    }
  });
});

describe('rewriting', () => {
  it('leaves the checksum that recomputing gives, and touches nothing else', () => {
    const random = new Random();
    const deltas: number[] = [];
    for (let i = 0; i < 3000; i++) {
      const bytes = ipv4.encode({
        ...randomFields(random),
        ttl: random.between(1, 255),
        totalLen: undefined,
        checksum: undefined,
      });
      const { view, u8 } = filled(bytes);
      const address = random.pick([random.i32(), 0, -1, ipv4.src(view, 64)]);
      const change = random.pick<() => Partial<ipv4.Ipv4>>([
        () => {
          deltas.push(ipv4.rewriteSrc(view, 64, address));
          return { src: address };
        },
        () => {
          deltas.push(ipv4.rewriteDst(view, 64, address));
          return { dst: address };
        },
        () => {
          ipv4.decrementTtl(view, 64);
          return { ttl: bytes[8]! - 1 };
        },
        () => {
          ipv4.rewriteTos(view, 64, address & 0xff);
          return { tos: address & 0xff };
        },
        () => {
          ipv4.rewriteTotalLen(view, 64, address & 0xffff);
          return { totalLen: address & 0xffff };
        },
        () => {
          ipv4.rewriteDontFragment(view, 64, address < 0);
          return { dontFragment: address < 0 };
        },
      ]);
      const expected = change();
      const written = u8.slice(64, 64 + bytes.length);
      const wanted = ipv4.encode({ ...(ipv4.decode(bytes) as ipv4.Ipv4), checksum: undefined, ...expected });
      expect(hex(written), `seed ${SEED} round ${i} ${JSON.stringify(expected)}`).toBe(hex(wanted));
      expect(isUntouchedAround(u8, 64, 64 + bytes.length)).toBe(true);
    }
    expect(deltas.every((delta) => delta >= 0 && delta < 0x40000)).toBe(true);
  });
});

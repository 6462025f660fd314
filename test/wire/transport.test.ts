/** TCP, UDP and SCTP headers. */
import { describe, expect, it } from 'vitest';
import { pseudo4, sum32 } from '../../src/wire/checksum.js';
import { viewOf } from '../../src/wire/decoded.js';
import * as sctp from '../../src/wire/sctp.js';
import * as tcp from '../../src/wire/tcp.js';
import * as udp from '../../src/wire/udp.js';
import { Random, SEED } from '../support/seed.js';
import { filled, isUntouchedAround } from './filled.js';
import { hex, KERNEL, unhex } from './kernelframes.js';

const L4 = 34;
const A = 0xc0000201 | 0;
const B = 0xc0000202 | 0;

function randomTcp(random: Random): tcp.Tcp {
  return {
    sport: random.u16(),
    dport: random.u16(),
    seq: random.u32(),
    ack: random.u32(),
    flags: random.u8(),
    reserved: random.below(16),
    window: random.u16(),
    checksum: random.u16(),
    urgent: random.u16(),
    options: random.bytes(4 * random.below(11)),
    payload: random.bytes(random.below(80)),
  };
}

describe('tcp', () => {
  it("reads and writes Linux's SYN", () => {
    const bytes = unhex(KERNEL.syn);
    const view = viewOf(bytes);
    expect([tcp.sport(view, L4), tcp.dport(view, L4)]).toEqual([0x97e4, 9]);
    expect(tcp.seq(view, L4)).toBe(0xc63d461f | 0);
    expect(tcp.ack(view, L4)).toBe(0);
    expect(tcp.headerLen(view, L4)).toBe(40);
    expect(tcp.flags(view, L4)).toBe(tcp.SYN);
    expect(tcp.window(view, L4)).toBe(64240);
    expect(tcp.isChecksumGood(view, L4, 40, pseudo4(A, B, 6, 40))).toBe(true);
    expect(tcp.isChecksumGood(view, L4, 40, pseudo4(A, B + 1, 6, 40))).toBe(false);
    const decoded = tcp.decode(bytes.subarray(L4)) as tcp.Tcp;
    expect(hex(tcp.encode({ ...decoded, checksum: undefined }, sum32(A) + sum32(B)))).toBe(hex(bytes.subarray(L4)));
  });

  it('gives any fields back', () => {
    const random = new Random();
    for (let i = 0; i < 500; i++) {
      const fields = randomTcp(random);
      expect(tcp.decode(tcp.encode(fields)), `seed ${SEED} round ${i}`).toEqual(fields);
    }
  });

  it('rewrites to the checksum that recomputing gives, and touches nothing else', () => {
    const random = new Random();
    for (let i = 0; i < 2000; i++) {
      const fields = { ...randomTcp(random), checksum: undefined };
      const bytes = tcp.encode(fields, sum32(A));
      const { view, u8 } = filled(bytes, 51);
      const value = random.pick([random.i32(), 0, -1, fields.seq | 0]);
      const port = value & 0xffff;
      const [rewrite, change] = random.pick<[() => void, Partial<tcp.Tcp>]>([
        [() => tcp.rewriteSport(view, 51, port), { sport: port }],
        [() => tcp.rewriteDport(view, 51, port), { dport: port }],
        [() => tcp.rewriteSeq(view, 51, value), { seq: value >>> 0 }],
        [() => tcp.rewriteAck(view, 51, value), { ack: value >>> 0 }],
      ]);
      rewrite();
      const wanted = tcp.encode({ ...fields, ...change }, sum32(A));
      expect(hex(u8.slice(51, 51 + bytes.length)), `seed ${SEED} round ${i}`).toBe(hex(wanted));
      expect(isUntouchedAround(u8, 51, 51 + bytes.length)).toBe(true);
    }
  });

  it('words its flags', () => {
    expect(tcp.parseFlags('SA')).toBe(tcp.SYN | tcp.ACK);
    expect(tcp.parseFlags('')).toBe(0);
    expect(tcp.parseFlags('SX')).toBeUndefined();
    for (let bits = 0; bits < 256; bits++) expect(tcp.parseFlags(tcp.flagsText(bits))).toBe(bits);
  });

  it('says why bytes are no TCP', () => {
    const good = tcp.encode({});
    expect(tcp.decode(good.subarray(0, 19))).toBe('TCP header needs 20 bytes, has 19');
    expect(tcp.decode(Uint8Array.from(good).fill(0x40, 12, 13))).toBe('TCP header length 16 of 20 bytes');
    expect(tcp.decode(Uint8Array.from(good).fill(0x60, 12, 13))).toBe('TCP header length 24 of 20 bytes');
  });
});

describe('udp', () => {
  it("reads and writes Linux's datagrams, with and without checksum", () => {
    for (const frame of [KERNEL.udp, KERNEL.udpNoChecksum]) {
      const bytes = unhex(frame);
      const len = udp.length(viewOf(bytes), L4);
      expect(len).toBe(bytes.length - L4);
      expect(udp.isChecksumGood(viewOf(bytes), L4, len, pseudo4(A, B, 17, len))).toBe(true);
      const decoded = udp.decode(bytes.subarray(L4)) as udp.Udp;
      const checksum = decoded.checksum === 0 ? 0 : undefined;
      expect(hex(udp.encode({ ...decoded, checksum }, sum32(A) + sum32(B)))).toBe(hex(bytes.subarray(L4)));
    }
    expect(udp.checksum(viewOf(unhex(KERNEL.udpNoChecksum)), L4)).toBe(0);
  });

  it('gives any fields back', () => {
    const random = new Random();
    for (let i = 0; i < 500; i++) {
      const payload = random.bytes(random.below(50));
      const fields = {
        sport: random.u16(),
        dport: random.u16(),
        length: 8 + payload.length,
        checksum: random.u16(),
        payload,
      };
      expect(udp.decode(udp.encode(fields))).toEqual(fields);
    }
    expect(udp.decode(random.bytes(7))).toBe('UDP header needs 8 bytes, has 7');
    expect(udp.decode(udp.encode({ length: 9 }))).toBe('UDP length 9 of 8 bytes');
    expect(udp.decode(udp.encode({ length: 7 }), true)).toBe('UDP length 7 of 8 bytes');
    expect(udp.decode(udp.encode({ length: 900 }), true)).toMatchObject({ length: 900 });
  });

  it('keeps a checksum of 0, whatever is rewritten', () => {
    const { view, u8 } = filled(udp.encode({ sport: 1, dport: 2, checksum: 0 }));
    udp.rewriteSport(view, 64, 5000, 0x1234);
    udp.rewriteDport(view, 64, 53);
    udp.fix(view, 64, 77);
    expect(hex(u8.subarray(64, 72))).toBe('1388003500080000');
  });

  it('writes a computed 0 as 0xffff, and goes on from there', () => {
    for (let port = 0, zeros = 0; port < 0x10000; port++) {
      const bytes = udp.encode({ sport: 7, dport: port }, 0x1111);
      const view = viewOf(bytes);
      zeros += udp.checksum(view, 0) === 0xffff ? 1 : 0;
      expect(udp.checksum(view, 0)).not.toBe(0);
      if (port === 0xffff) expect(zeros).toBeGreaterThan(0);
      if (port % 97 === 0 || udp.checksum(view, 0) === 0xffff) {
        udp.rewriteDport(view, 0, 4711);
        expect(hex(bytes)).toBe(hex(udp.encode({ sport: 7, dport: 4711 }, 0x1111)));
        udp.rewriteDport(view, 0, port);
        expect(hex(bytes)).toBe(hex(udp.encode({ sport: 7, dport: port }, 0x1111)));
      }
    }
  });
});

function randomSctp(random: Random): sctp.Sctp {
  const chunk = () => ({ type: random.u8(), flags: random.u8(), value: random.bytes(random.below(30)) });
  const chunks = Array.from({ length: random.below(5) }, chunk);
  return { sport: random.u16(), dport: random.u16(), tag: random.u32(), checksum: random.i32(), chunks };
}

describe('sctp', () => {
  it('writes its checksum little-endian', () => {
    const bytes = sctp.encode({
      sport: 0x1234,
      dport: 0x5678,
      tag: 0,
      chunks: [{ type: sctp.COOKIE_ACK, flags: 0, value: new Uint8Array(0) }],
    });
    const crc = sctp.compute(viewOf(bytes), 0, bytes.length);
    expect(bytes.subarray(8, 12)).toEqual(Uint8Array.of(crc, crc >> 8, crc >> 16, crc >> 24));
    expect(sctp.checksum(viewOf(bytes), 0)).toBe(crc);
  });

  it('gives any fields back', () => {
    const random = new Random();
    for (let i = 0; i < 500; i++) {
      const fields = randomSctp(random);
      expect(sctp.decode(sctp.encode(fields)), `seed ${SEED} round ${i}`).toEqual(fields);
    }
  });

  it('has a good checksum until a byte changes, and again when filled', () => {
    const random = new Random();
    for (let i = 0; i < 300; i++) {
      const bytes = sctp.encode({ ...randomSctp(random), checksum: undefined });
      const { view, u8 } = filled(bytes);
      expect(sctp.isChecksumGood(view, 64, bytes.length)).toBe(true);
      sctp.setDport(view, 64, sctp.dport(view, 64) ^ (1 << random.below(16)));
      expect(sctp.isChecksumGood(view, 64, bytes.length)).toBe(false);
      sctp.fillChecksum(view, 64, bytes.length);
      expect(sctp.isChecksumGood(view, 64, bytes.length)).toBe(true);
      expect(isUntouchedAround(u8, 64, 64 + bytes.length)).toBe(true);
    }
  });

  it('walks chunks, never beyond the end and never in place', () => {
    const random = new Random();
    for (let i = 0; i < 2000; i++) {
      const bytes = random.bool() ? sctp.encode(randomSctp(random)) : random.bytes(random.between(16, 80));
      const view = viewOf(bytes);
      const types: number[] = [];
      if (bytes.length < 16) continue;
      for (let at: number = sctp.HEADER; at >= 0; at = sctp.nextChunk(view, at, bytes.length))
        types.push(sctp.chunkType(view, at));
      const decoded = sctp.decode(bytes);
      if (typeof decoded !== 'string') expect(types).toEqual(decoded.chunks.map((c) => c.type));
      expect(types.length).toBeLessThanOrEqual(bytes.length / 4);
    }
  });

  it.each([0, 1, 2, 3])('stops at a chunk of length %i', (len) => {
    const bytes = new Uint8Array(40).fill(len, 15, 16);
    expect(sctp.nextChunk(viewOf(bytes), sctp.HEADER, 40)).toBe(-1);
  });

  it('says why bytes are no SCTP', () => {
    expect(sctp.decode(new Uint8Array(11))).toBe('SCTP header needs 12 bytes, has 11');
    expect(sctp.decode(new Uint8Array(16))).toBe('SCTP chunk 0 has length 0 of 4');
    expect(sctp.decode(new Uint8Array(14))).toBe('SCTP chunk 0 has length 0 of 2');
  });
});

it('decode of any transport never throws on any bytes', () => {
  const random = new Random();
  for (let i = 0; i < 3000; i++) {
    const bytes = random.bytes(random.below(70));
    for (const decode of [tcp.decode, udp.decode, sctp.decode])
      expect(['string', 'object']).toContain(typeof decode(bytes));
  }
});

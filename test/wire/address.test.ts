/** Addresses as text, numbers and bytes. */
import { SocketAddress } from 'node:net';
import { describe, expect, it, test } from 'vitest';
import {
  bytes4,
  bytes6,
  bytesMac,
  format4,
  format6,
  formatMac,
  macAt,
  mask4,
  maskWord,
  parse4,
  parse6,
  parseMac,
  words6,
} from '../../src/wire/address.js';
import { viewOf } from '../../src/wire/decoded.js';
import { Random } from '../support/seed.js';

describe('IPv4', () => {
  it('reads dotted quads as signed big-endian words', () => {
    expect(parse4('10.0.0.100')).toBe(0x0a000064);
    expect(parse4('255.255.255.255')).toBe(-1);
    expect(parse4('192.168.1.11')).toBe(0xc0a8010b | 0);
    expect(parse4('0.0.0.0')).toBe(0);
  });

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '1.2.3.999',
    '01.2.3.4',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.',
    '.1.2.3',
    '0x1.2.3.4',
    '1.2.3.-4',
    '1.2.3.4\n',
    '١.2.3.4',
  ])('refuses %j', (text) => expect(parse4(text)).toBeUndefined());

  it('gives every word back', () => {
    const random = new Random();
    for (let i = 0; i < 2000; i++) {
      const word = random.i32();
      expect(parse4(format4(word))).toBe(word);
      expect(format4(word >>> 0)).toBe(format4(word));
      expect(viewOf(bytes4(word)).getInt32(0)).toBe(word);
    }
  });

  it('makes masks', () => {
    expect([0, 1, 8, 24, 31, 32].map((n) => format4(mask4(n)))).toEqual([
      '0.0.0.0',
      '128.0.0.0',
      '255.0.0.0',
      '255.255.255.0',
      '255.255.255.254',
      '255.255.255.255',
    ]);
  });
});

describe('IPv6', () => {
  it('makes masks, word by word', () => {
    const mask = (prefix: number) => format6([0, 1, 2, 3].map((i) => maskWord(prefix, i)));
    expect([0, 1, 32, 48, 64, 127, 128].map(mask)).toEqual([
      '::',
      '8000::',
      'ffff:ffff::',
      'ffff:ffff:ffff::',
      'ffff:ffff:ffff:ffff::',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    ]);
  });

  it.each([
    ['::', '::'],
    ['::1', '::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1::', '1::'],
    ['0:0:0:0:0:0:0:ffff', '::ffff'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['::ffff:c000:201', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
  ])('%s is %s', (text, canonical) => expect(format6(parse6(text)!)).toBe(canonical));

  it.each([
    '',
    ':',
    ':::',
    '1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '1::2::3',
    '12345::',
    'g::',
    '::1%eth0',
    ':1::',
    '1:',
    '1.2.3.4::',
    '::1.2.3.4:1',
    '::1.2.3',
    '::01.2.3.4',
    '1.2.3.4',
    ' ::1',
    '::1 ',
  ])('refuses %j', (text) => expect(parse6(text)).toBeUndefined());

  it('agrees with inet_ntop and inet_pton as Node wraps them', () => {
    const random = new Random();
    for (let i = 0; i < 2000; i++) {
      const words = Int32Array.from({ length: 4 }, () => random.i32() & random.pick([0, 0, 0xffff, -0x10000, 0xf, -1]));
      const text = new SocketAddress({ family: 'ipv6', address: longForm(words) }).address;
      expect(format6(words), longForm(words)).toBe(text);
      expect(parse6(text)).toEqual(words);
      expect(words6(viewOf(bytes6(words)), 0)).toEqual(words);
    }
  });
});

function longForm(words: Int32Array): string {
  return [...words].flatMap((w) => [(w >>> 16).toString(16), (w & 0xffff).toString(16)]).join(':');
}

describe('MAC', () => {
  it('is 16 bits and 32 signed bits', () => {
    expect(parseMac('02:00:00:00:0d:01')).toEqual([0x0200, 0x0d01]);
    expect(parseMac('FF-ff-ff-ff-ff-ff')).toEqual([0xffff, -1]);
  });

  it.each(['', '02:00:00:00:0d', '02:00:00:00:0d:01:02', '2:0:0:0:d:1', '02:00:00:00:0d:0g', '020000000d01'])(
    'refuses %j',
    (text) => expect(parseMac(text)).toBeUndefined(),
  );

  test('round trip', () => {
    const random = new Random();
    for (let i = 0; i < 500; i++) {
      const [hi, lo] = [random.u16(), random.i32()];
      expect(parseMac(formatMac(hi, lo))).toEqual([hi, lo]);
      expect(macAt(viewOf(bytesMac([hi, lo])), 0)).toEqual([hi, lo]);
    }
  });
});

/** What is inside a tunnel packet; whatever else comes is refused. */
import { describe, expect, it } from 'vitest';
import { innerPacket, TUNNEL_TYPES } from '../../../src/device/tun/inner-packet.js';
import { Random } from '../../support/seed.js';

const PACKET4 = [0x45, 0, 0, 21, ...Array(16).fill(1), 9];
const PACKET6 = [0x60, 0, 0, 0, 0, 2, 59, 64, ...Array(32).fill(2), 7, 8];
const inside = (type: 'ipip' | 'gre' | 'gue', ...bytes: number[]) => {
  const found = innerPacket(type, Uint8Array.from(bytes));
  return found && [...found];
};

describe('a packet', () => {
  it.each([
    ['ipip', []],
    ['gre', [0, 0, 8, 0]],
    ['gre', [0x80, 0, 8, 0, 1, 2, 0, 0]],
    ['gre', [0xb0, 0, 8, 0, ...Array(12).fill(3)]],
    ['gue', [0, 4, 0, 0]],
    ['gue', [2, 4, 0, 0, ...Array(8).fill(3)]],
    ['gue', []],
  ] as const)('comes out of %s behind %j', (type, header) => {
    expect(inside(type, ...header, ...PACKET4)).toEqual(PACKET4);
    expect(inside(type, ...header, ...PACKET4, 0, 0)).toEqual(PACKET4); // Ethernet's padding
    expect(inside(type, ...header, ...PACKET4.slice(0, -1))).toBeUndefined();
  });

  it('may be IPv6', () => {
    expect(inside('ipip', ...PACKET6)).toEqual(PACKET6);
    expect(inside('gre', 0, 0, 0x86, 0xdd, ...PACKET6)).toEqual(PACKET6);
    expect(inside('gue', 0, 41, 0, 0, ...PACKET6)).toEqual(PACKET6);
  });

  it.each([
    ['gre of another version', 'gre', [0, 1, 8, 0]],
    ['gre with Ethernet inside', 'gre', [0, 0, 0x65, 0x58]],
    ['a control message of gue', 'gue', [0x20, 4, 0, 0]],
    ['gue with a remote checksum', 'gue', [1, 4, 0, 1, 0, 0, 0, 0]],
    ['gue with another protocol', 'gue', [0, 17, 0, 0]],
    ['gue of version 2', 'gue', [0x80, 4, 0, 0]],
  ] as const)('is not in %s', (_, type, header) => {
    expect(inside(type, ...header, ...PACKET4)).toBeUndefined();
  });

  it('is never longer than what came, and random bytes do no harm', () => {
    const random = new Random(7);
    for (let i = 0; i < 20_000; i++) {
      const bytes = Uint8Array.from({ length: random.below(80) }, () => random.below(256));
      for (const type of TUNNEL_TYPES) {
        const found = innerPacket(type, bytes);
        if (found === undefined) continue;
        expect(found.byteOffset + found.length).toBeLessThanOrEqual(bytes.length);
        expect(found.length).toBeGreaterThanOrEqual(20);
      }
    }
  });
});

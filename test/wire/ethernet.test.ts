/** Ethernet headers and VLAN tags. */
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../src/wire/decoded.js';
import * as ethernet from '../../src/wire/ethernet.js';
import * as vlan from '../../src/wire/vlan.js';
import { packet } from '../support/packet.js';
import { Random } from '../support/seed.js';
import { filled, isUntouchedAround } from './filled.js';
import { hex, KERNEL, unhex } from './kernelframes.js';

describe('ethernet', () => {
  it("reads Linux's broadcast", () => {
    const view = viewOf(unhex(KERNEL.arpRequest));
    expect(ethernet.isBroadcast(view, 0)).toBe(true);
    expect(ethernet.isMulticast(view, 0)).toBe(true);
    expect([ethernet.dstHi(view, 0), ethernet.dstLo(view, 0)]).toEqual([0xffff, -1]);
    expect([ethernet.srcHi(view, 0), ethernet.srcLo(view, 0)]).toEqual([0x0200, 0x0a]);
    expect(ethernet.type(view, 0)).toBe(ethernet.TYPE_ARP);
    expect(ethernet.isMulticast(viewOf(unhex(KERNEL.udp)), 0)).toBe(false);
    expect(ethernet.isBroadcast(viewOf(unhex(KERNEL.solicitation)), 0)).toBe(false);
  });

  it('writes exactly its header', () => {
    const { view, u8 } = filled(new Uint8Array(14).fill(0xa5));
    ethernet.setDst(view, 64, 0x0200, -2);
    ethernet.setSrc(view, 64, 0xfffe, 5);
    ethernet.setType(view, 64, 0x86dd);
    expect(hex(u8.subarray(64, 78))).toBe('0200fffffffefffe0000000586dd');
    expect(isUntouchedAround(u8, 64, 78)).toBe(true);
  });

  it('gives any fields back', () => {
    const random = new Random();
    for (let i = 0; i < 300; i++) {
      const fields = {
        dst: [random.u16(), random.i32()],
        src: [random.u16(), random.i32()],
        type: random.u16(),
        payload: random.bytes(random.below(60)),
      } as const;
      expect(ethernet.decode(ethernet.encode(fields))).toEqual(fields);
    }
    expect(ethernet.decode(random.bytes(13))).toBe('Ethernet header needs 14 bytes, has 13');
  });
});

describe('vlan', () => {
  const plain = packet()
    .eth('02:00:00:00:00:01', '02:00:00:00:00:02')
    .ipv4({ src: '10.0.0.1', dst: '10.0.0.2' })
    .udp({ sport: 1, dport: 2 });
  const bytes = plain.bytes();

  it('pushes and pops tags in the headroom', () => {
    const { view, u8 } = filled(bytes);
    const tagged = vlan.push(view, 64, (5 << 13) | 100);
    expect(tagged).toBe(60);
    expect(hex(u8.subarray(60, 64 + bytes.length))).toBe(`${hex(bytes).slice(0, 24)}8100a064${hex(bytes).slice(24)}`);
    expect([vlan.vid(view, tagged + 12), vlan.priority(view, tagged + 12)]).toEqual([100, 5]);
    const twice = vlan.push(view, tagged, 7, ethernet.TYPE_QINQ);
    expect(vlan.typeOffset(view, twice, 64 + bytes.length)).toBe(twice + 20);
    expect(vlan.pop(view, vlan.pop(view, twice))).toBe(64);
    expect(hex(u8.subarray(64, 64 + bytes.length))).toBe(hex(bytes));
    expect(isUntouchedAround(u8, 56, 64 + bytes.length)).toBe(true);
  });

  it('finds the type behind up to two tags, never reading beyond the end', () => {
    const view = viewOf(bytes);
    expect(vlan.typeOffset(view, 0, bytes.length)).toBe(12);
    expect(vlan.typeOffset(view, 0, 13)).toBe(-1);
    const tags = (n: number) =>
      viewOf(
        Array.from({ length: n })
          .reduce<ReturnType<typeof packet>>((p) => p.vlan(1), packet().eth('02:00:00:00:00:01', '02:00:00:00:00:02'))
          .ipv4({ src: '10.0.0.1', dst: '10.0.0.2' })
          .bytes(),
      );
    expect([1, 2, 3].map((n) => vlan.typeOffset(tags(n), 0, 60))).toEqual([16, 20, -1]);
    const three = new Uint8Array(40).fill(0x81).map((b, i) => (i % 2 ? 0 : b));
    expect(vlan.typeOffset(viewOf(three), 0, 40)).toBe(-1);
    for (let end = 0; end < 18; end++) expect(vlan.typeOffset(viewOf(three.subarray(0, end)), 0, end)).toBe(-1);
  });

  it('gives any fields back', () => {
    const random = new Random();
    for (let i = 0; i < 300; i++) {
      const fields = {
        vid: random.below(4096),
        priority: random.below(8),
        dropEligible: random.bool(),
        type: random.u16(),
        payload: random.bytes(random.below(9)),
      };
      expect(vlan.decode(vlan.encode(fields))).toEqual(fields);
    }
    expect(vlan.decode(random.bytes(3))).toBe('VLAN tag needs 4 bytes, has 3');
  });
});

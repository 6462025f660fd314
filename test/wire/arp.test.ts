/** ARP packets. */
import { expect, it } from 'vitest';
import { formatMac, parse4, parseMac } from '../../src/wire/address.js';
import * as arp from '../../src/wire/arp.js';
import { Random } from '../support/seed.js';
import { filled, isUntouchedAround } from './filled.js';
import { hex, KERNEL, unhex } from './kernelframes.js';

const A = parseMac('02:00:00:00:00:0a')!;
const B = parseMac('02:00:00:00:00:0b')!;
const ASKING = unhex(KERNEL.arpRequest).subarray(14);
const TELLING = unhex(KERNEL.arpReply).subarray(14);

it("reads and writes Linux's request", () => {
  const fields = {
    operation: arp.REQUEST,
    senderMac: A,
    senderIp: parse4('192.0.2.1')!,
    targetMac: [0, 0],
    targetIp: parse4('192.0.2.2')!,
  } as const;
  expect(arp.decode(ASKING)).toEqual(fields);
  expect(hex(arp.encode(fields))).toBe(hex(ASKING));
});

it('turns a request into the answer Linux gave, touching nothing else', () => {
  const { view, u8 } = filled(ASKING);
  expect(arp.isEthernetIpv4(view, 64)).toBe(true);
  expect(formatMac(arp.senderHi(view, 64), arp.senderLo(view, 64))).toBe('02:00:00:00:00:0a');
  arp.makeReply(view, 64, ...B);
  expect(hex(u8.subarray(64, 64 + arp.LENGTH))).toBe(hex(TELLING));
  expect(isUntouchedAround(u8, 64, 64 + arp.LENGTH)).toBe(true);
});

it('says why bytes are no ARP', () => {
  expect(arp.decode(ASKING.subarray(0, 27))).toBe('ARP needs 28 bytes, has 27');
  expect(arp.decode(Uint8Array.from(ASKING).fill(6, 1, 2))).toBe('ARP is not for IPv4 over Ethernet');
  expect(arp.decode(Uint8Array.from(ASKING).fill(8, 4, 5))).toBe('ARP is not for IPv4 over Ethernet');
});

it('gives any fields back', () => {
  const random = new Random();
  for (let i = 0; i < 300; i++) {
    const mac = () => [random.u16(), random.i32()] as const;
    const fields = {
      operation: random.u16(),
      senderMac: mac(),
      senderIp: random.i32(),
      targetMac: mac(),
      targetIp: random.i32(),
    };
    expect(arp.decode(arp.encode(fields))).toEqual(fields);
  }
});

/**
 * Each kind of forwarding, byte by byte: the program sends what the director sends for the same
 * packet, and completes a partial checksum to what it would have been.
 */
import { describe, expect, it } from 'vitest';
import { Stat } from '../../../src/stats/counters.js';
import { fold, pseudo4, pseudo6 } from '../../../src/wire/checksum.js';
import * as ipv4 from '../../../src/wire/ipv4.js';
import { withoutXdp } from '../../device/xdp/missing.js';
import { FlowKernel } from '../../support/flow-kernel.js';
import { directorOf } from '../fastpath/network.js';
import { arriving } from '../fastpath/traffic.js';

const METHODS = {
  nat: '-m',
  dr: '-g',
  ipip: '-i',
  gre: '-i --tun-type gre',
  gue: '-i --tun-type gue --tun-port 6080',
} as const;
type Method = keyof typeof METHODS;
const CASES = (['tcp', 'udp'] as const).flatMap((protocol) =>
  ([4, 6] as const).flatMap((family) =>
    (Object.keys(METHODS) as Method[]).map((method) => [method, family, protocol] as const),
  ),
);

const VIP = { 4: '10.0.0.110', 6: '2001:db8::110' } as const;
const CLIENT = { 4: '11.0.0.1', 6: '2001:db8::1' } as const;

/** The MTU behind eth1 is too small for a tunnel over IPv6. */
function destination(method: Method, family: 4 | 6): string {
  if (family === 4) return method === 'nat' ? '192.168.1.11:8080' : '192.168.1.11';
  if (method === 'nat') return '[2001:db8:1::11]:8080';
  return method === 'dr' ? '[2001:db8:1::11]:80' : '[2001:db8::2]:80';
}

function rulesOf(method: Method, family: 4 | 6, protocol: 'tcp' | 'udp'): string {
  const service = `${protocol === 'tcp' ? '-t' : '-u'} ${family === 4 ? VIP[4] : `[${VIP[6]}]`}:80`;
  return `-A ${service} -s rr\n-a ${service} -r ${destination(method, family)} ${METHODS[method]}`;
}

interface Shape {
  readonly tos: number;
  readonly ttl: number;
  readonly length: number;
}

function frameOf(family: 4 | 6, protocol: 'tcp' | 'udp', { tos, ttl, length }: Shape, flags = 'PA'): Uint8Array {
  const [src, dst] = [CLIENT[family], VIP[family]];
  const ip =
    family === 4
      ? arriving(0).ipv4({ src, dst, tos, ttl, df: true, id: 4711 })
      : arriving(0).ipv6({ src, dst, trafficClass: tos, hopLimit: ttl, flowLabel: 0x12345 });
  const ports = { sport: 1000, dport: 80 };
  const payload = Uint8Array.from({ length }, (_, i) => (i * 37) & 0xff);
  return (protocol === 'tcp' ? ip.tcp({ ...ports, flags, seq: 7 }) : ip.udp(ports)).payload(payload).bytes();
}

/** The frame with the sum of the pseudo header in the place of its checksum. */
function partial(frame: Uint8Array, family: 4 | 6, protocol: 'tcp' | 'udp'): Uint8Array {
  const copy = frame.slice();
  const view = new DataView(copy.buffer);
  const l4 = family === 4 ? 34 : 54;
  const number = protocol === 'tcp' ? ipv4.TCP : ipv4.UDP;
  const pseudo =
    family === 4
      ? pseudo4(view.getInt32(26), view.getInt32(30), number, copy.length - l4)
      : pseudo6(view, 22, 38, number, copy.length - l4);
  view.setUint16(l4 + (protocol === 'tcp' ? 16 : 6), fold(pseudo));
  return copy;
}

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex');

/** A director with an offloaded connection; `left`: the last frame that it has sent. */
async function offloaded([method, family, protocol]: (typeof CASES)[number], skb: boolean) {
  const sent: { left?: Uint8Array } = {};
  const inner = await directorOf({ rules: rulesOf(method, family, protocol) }, (_, bytes) => {
    sent.left = bytes;
  });
  const kernel = new FlowKernel(inner.director, { after: { tcp: 1, udp: 1 }, skb });
  const first = { tos: 0, ttl: 64, length: 8 };
  for (const flags of ['S', 'A', 'A']) inner.receive(0, frameOf(family, protocol, first, flags));
  return { inner, kernel, sent };
}

/** It leaves partial checksums to the kernel. */
describe.skipIf(withoutXdp !== '')('the classifier sends what the director sends', () => {
  it.each(CASES)('%s, IPv%i, %s', async (...one) => {
    const [, family, protocol] = one;
    const { inner, kernel, sent } = await offloaded(one, true);
    for (const [i, length] of [0, 1, 2, 3, 7, 64, 301, 500].entries()) {
      const frame = frameOf(family, protocol, { tos: 0xb8 | (i & 3), ttl: 2 + 50 * (i & 1), length });
      const bytes = kernel.run(0, frame)?.bytes;
      kernel.offload.setOff(true);
      inner.receive(0, frame);
      kernel.offload.setOff(false);
      expect(hex(bytes), `${length} bytes`).toBe(hex(sent.left));
    }
  });

  it.each([
    ['tcp', 20],
    ['udp', 8],
  ] as const)('and counts a GSO packet as its segments, %s', async (protocol, header) => {
    const { inner, kernel } = await offloaded(['nat', 4, protocol], true);
    const length = 2500;
    const frame = frameOf(4, protocol, { tos: 0, ttl: 64, length });
    const { values, totalRow } = inner.director.counters;
    const counted = () => [values[totalRow + Stat.inpkts]!, values[totalRow + Stat.inbytes]!] as const;
    const [packets, bytes] = counted();
    expect(kernel.run(0, frame)).toBeUndefined();
    expect(kernel.run(0, frame, 1481 - header)).toBeUndefined();
    expect(kernel.run(0, frame, 500)).toBeDefined();
    kernel.offload.read();
    expect(counted()).toEqual([packets + 5, bytes + length + 5 * (20 + header)]);
  });
});

describe.skipIf(withoutXdp !== '')('the program sends what the director sends', () => {
  it.each(CASES)('%s, IPv%i, %s', async (...one) => {
    const [, family, protocol] = one;
    const { inner, kernel, sent: of } = await offloaded(one, false);
    for (const [i, length] of [0, 1, 2, 3, 7, 64, 301, 500].entries()) {
      const frame = frameOf(family, protocol, { tos: 0xb8 | (i & 3), ttl: 2 + 50 * (i & 1), length });
      const sent = kernel.run(0, frame)?.bytes;
      kernel.offload.setOff(true);
      inner.receive(0, frame);
      kernel.offload.setOff(false);
      expect(hex(sent), `${length} bytes`).toBe(hex(of.left));
      expect(hex(kernel.run(0, partial(frame, family, protocol))?.bytes), `${length} bytes, partial`).toBe(
        hex(of.left),
      );
    }
  });
});

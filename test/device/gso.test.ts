/** Segmentation of GSO packets, and partial checksums. */
import { describe, expect, it } from 'vitest';
import { Segmenter } from '../../src/device/gso.js';
import { completeChecksum } from '../../src/device/partial-checksum.js';
import { Umem } from '../../src/device/umem.js';
import { addressAt } from '../../src/sys/memory.js';
import { GSO_ECN, GSO_TCPV4, GSO_TCPV6, GSO_UDP, GSO_UDP_L4 } from '../../src/sys/packet-socket.js';
import { wrongIn } from '../support/frames.js';

const ETHERNET = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
const V4 = [0x45, 0, 0, 0, 0xff, 0xfe, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
const V6 = [0x60, 0, 0, 0, 0x10, 0, 6, 64, ...Array(15).fill(0), 1, ...Array(15).fill(0), 2];
/** seq 0xffffff00, options of 12 bytes, flags CWR ECE ACK PSH FIN. */
const TCP = [
  0x1f, 0x90, 0, 80, 255, 255, 255, 0, 0, 0, 0, 1, 0x80, 0xd9, 1, 0, 0, 0, 0, 0, 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8,
];
const UDP = [0x1f, 0x90, 0, 53, 0, 0, 0, 0];

const udpV4 = V4.map((byte, i) => (i === 9 ? 17 : byte));

interface Given {
  head: number[];
  type: number;
  size: number;
  payload: number;
  tagged?: boolean;
}

function cut({ head, type, size, payload, tagged = false }: Given): { begun: boolean; frames: Uint8Array[] } {
  const umem = new Umem(64);
  umem.u8.fill(0xa5);
  const ring = new Uint8Array(new ArrayBuffer(1 << 17));
  const source = 1002;
  ring.set(head, source);
  ring.set(body(payload), source + head.length);
  const segmenter = new Segmenter(umem, addressAt(umem.buffer), ring, addressAt(ring.buffer));
  const begun = segmenter.begin(source, head.length + payload, type, size, 0, tagged);
  const frames: Uint8Array[] = [];
  while (begun && segmenter.left > 0) {
    const frame = umem.alloc();
    const len = segmenter.next(frame);
    if (tagged) umem.view.setUint32(frame + 12, 0x8100_002a);
    frames.push(umem.u8.slice(frame, frame + len));
  }
  return { begun, frames };
}

const body = (len: number): Uint8Array => Uint8Array.from({ length: len }, (_, i) => (i * 13 + (i >> 8)) & 255);
const tcp4 = [...ETHERNET, 8, 0, ...V4, ...TCP];
const tcp6 = [...ETHERNET, 0x86, 0xdd, ...V6, ...TCP];
const udp4 = [...ETHERNET, 8, 0, ...udpV4, ...UDP];

describe('Segmenter', () => {
  it('counts up id and sequence, and keeps FIN and PSH for the last, CWR for the first', () => {
    const { frames } = cut({ head: tcp4, type: GSO_TCPV4 | GSO_ECN, size: 1448, payload: 4000 });
    expect(frames.map((frame) => frame.length)).toEqual([1514, 1514, 66 + 1104]);
    expect(frames.map(wrongIn)).toEqual(['', '', '']);
    const views = frames.map((frame) => new DataView(frame.buffer));
    expect(views.map((view) => view.getUint16(18))).toEqual([0xfffe, 0xffff, 0]);
    expect(views.map((view) => view.getUint32(38))).toEqual([0xffffff00, 1448 - 256, 2896 - 256]);
    expect(frames.map((frame) => frame[47])).toEqual([0xd0, 0x50, 0x59]);
    expect(Buffer.concat(frames.map((frame) => frame.subarray(66)))).toEqual(Buffer.from(body(4000)));
  });

  it.each([
    ['IPv6, odd size', tcp6, GSO_TCPV6, 999, 5001, 86],
    ['one segment only', tcp4, GSO_TCPV4, 1448, 100, 66],
    ['an exact multiple', tcp4, GSO_TCPV4, 500, 2000, 66],
    ['UDP', udp4, GSO_UDP_L4, 1001, 3500, 42],
  ])('%s', (_name, head, type, size, payload, start) => {
    const { frames } = cut({ head, type, size, payload });
    expect(frames.length).toBe(Math.ceil(payload / size));
    expect(frames.map(wrongIn).join('')).toBe('');
    expect(Buffer.concat(frames.map((frame) => frame.subarray(start)))).toEqual(Buffer.from(body(payload)));
    if (type === GSO_UDP_L4)
      for (const frame of frames) expect(new DataView(frame.buffer).getUint16(38)).toBe(frame.length - 34);
  });

  it('leaves room for a VLAN tag, and finds the layers behind one that is in the frame', () => {
    const outside = cut({ head: tcp4, type: GSO_TCPV4, size: 1448, payload: 3000, tagged: true });
    const inFrame = [...ETHERNET, 0x81, 0, 0, 42, ...tcp4.slice(12)];
    const inside = cut({ head: inFrame, type: GSO_TCPV4, size: 1448, payload: 3000 });
    expect(outside.frames).toEqual(inside.frames);
    expect(outside.frames.map(wrongIn)).toEqual(['', '', '']);
  });

  it('refuses what it cannot cut', () => {
    expect(cut({ head: udp4, type: GSO_UDP, size: 1000, payload: 3000 }).begun).toBe(false);
    expect(cut({ head: tcp4, type: GSO_TCPV4, size: 0, payload: 3000 }).begun).toBe(false);
    expect(cut({ head: tcp4, type: GSO_TCPV4, size: 1790, payload: 3000 }).begun).toBe(false);
    const jumbogram = tcp6.map((byte, i) => (i === 18 ? 0 : byte));
    expect(cut({ head: jumbogram, type: GSO_TCPV6, size: 1000, payload: 3000 }).begun).toBe(false);
    for (let len = 14; len <= tcp4.length; len++)
      expect(cut({ head: tcp4.slice(0, len), type: GSO_TCPV4, size: 500, payload: 0 }).begun).toBe(false);
  });
});

describe('finish', () => {
  it('knows SCTP by its field and writes the CRC32c', () => {
    const umem = new Umem(2);
    // RFC 3720 section B.4: 32 bytes of zeroes have the CRC32c aa 36 91 8a.
    const at = umem.alloc();
    umem.u8.fill(0, at, at + 32);
    expect(completeChecksum(umem.view, at, 8, at + 32)).toBe(true);
    expect(Buffer.from(umem.u8.slice(at + 8, at + 12)).toString('hex')).toBe('aa36918a');
  });

  it('refuses fields outside the frame', () => {
    const umem = new Umem(2);
    const at = umem.alloc();
    expect(completeChecksum(umem.view, at + 20, 16, at + 37)).toBe(false);
    expect(completeChecksum(umem.view, at + 20, 16, at + 38)).toBe(true);
  });
});

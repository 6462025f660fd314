/** Tests the devices that play frames: one from a capture, by a clock, and one from memory. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PcapWriter, readCapture } from '../../../src/capture/pcap.js';
import { Batch } from '../../../src/device/batch.js';
import { Umem } from '../../../src/device/umem.js';
import { plainFrame, send } from '../frames.js';
import { FileDevice } from './file.js';
import { MemoryDevice } from './memory.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ulvs-file-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const frames = [60, 61, 1514, 100].map((len, i) => plainFrame(len, i));

describe('FileDevice', () => {
  it('hands out what is due and stamps what is sent with the clock', () => {
    const path = join(dir, 'device.pcap');
    const umem = new Umem(8);
    const script = [...frames, new Uint8Array(3000)].map((bytes, i) => ({ t: i * 10, if: 'eth0', bytes }));
    const device = new FileDevice(umem, 'eth0', script, { writer: new PcapWriter(path) });
    const batch = new Batch(3);
    device.now = 15;
    expect([device.rx(batch), device.rx(batch), device.nextAt]).toEqual([2, 0, 20]);
    expect(device.tx(batch)).toBe(2);
    device.now = 100;
    expect([device.rx(batch), device.atEnd]).toEqual([2, true]);
    expect(device.tx(batch)).toBe(2);
    device.close();
    expect(readCapture(path).frames.map(({ t, bytes }) => [t, bytes.length])).toEqual([
      [15, 60],
      [15, 61],
      [100, 1514],
      [100, 100],
    ]);
    expect(device.stats).toMatchObject({ rxPackets: 4, txPackets: 4, rxOversize: 1 });
    expect(umem.freeFrames).toBe(8);
    expect(readFileSync(path).length).toBe(24 + 4 * 16 + 1735);
  });

  it('waits while the Umem has no frame', () => {
    const umem = new Umem(1);
    const device = new FileDevice(
      umem,
      'x',
      frames.map((bytes, t) => ({ t, if: 'x', bytes })),
    );
    const batch = new Batch();
    for (let i = 0; i < 4; i++) {
      expect(device.rx(batch)).toBe(1);
      device.tx(batch);
    }
    expect(device.rx(batch)).toBe(0);
  });
});

describe('MemoryDevice', () => {
  it('gives what was injected and keeps what was sent', () => {
    const umem = new Umem(4);
    const device = new MemoryDevice(umem, { name: 'm0' });
    for (const frame of [...frames, ...frames]) expect(device.inject(frame)).toBe(true);
    expect(device.inject(new Uint8Array(2000))).toBe(false);
    const batch = new Batch(3);
    expect([device.rx(batch), device.pending]).toEqual([3, 5]);
    device.tx(batch);
    expect(device.take().map((bytes) => bytes.length)).toEqual([60, 61, 1514]);
    expect(device.take()).toEqual([]);
    const wide = new Batch(64);
    expect(device.rx(wide)).toBe(4); // all the Umem has
    device.tx(wide);
    expect(device.rx(wide)).toBe(1);
    device.tx(wide);
    expect(device.stats).toMatchObject({ rxPackets: 8, txPackets: 8, rxOversize: 1, rxBytes: 3470, txBytes: 3470 });
    expect(umem.freeFrames).toBe(4);
  });

  it('loops for ever, or hands frames to a sink', () => {
    const umem = new Umem(16);
    const loop = new MemoryDevice(umem, { loop: true });
    loop.inject(frames[0]!);
    loop.inject(frames[1]!);
    const batch = new Batch(5);
    expect(loop.rx(batch)).toBe(5);
    expect([...batch.lengths]).toEqual([60, 61, 60, 61, 60]);
    loop.tx(batch);
    expect(loop.sent.length).toBe(0);
    const seen: number[] = [];
    send(new MemoryDevice(umem, { sink: (bytes) => seen.push(bytes.length) }), umem, frames);
    expect(seen).toEqual([60, 61, 1514, 100]);
  });
});

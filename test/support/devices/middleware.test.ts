/** Tests the devices that wrap another device: one records frames, one injects faults. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PcapWriter, readCapture } from '../../../src/capture/pcap.js';
import { Batch } from '../../../src/device/batch.js';
import { Umem } from '../../../src/device/umem.js';
import { FaultInjector, type FaultOptions } from '../../../src/lab/chaos/fault-injector.js';
import { drain, plainFrame, send } from '../frames.js';
import { MemoryDevice } from './memory.js';
import { Tracer } from './tracer.js';

describe('Tracer', () => {
  it('writes what passes, in and out, and changes nothing', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ulvs-tracer-'));
    const umem = new Umem(16);
    const memory = new MemoryDevice(umem, { name: 'm0' });
    const tracer = new Tracer(memory, umem, new PcapWriter(join(dir, 'x.pcap')), () => 5000.5);
    memory.inject(plainFrame(60, 1));
    const batch = new Batch();
    const got: Uint8Array[] = [];
    expect(tracer.rx(batch)).toBe(1);
    drain(batch, umem, got);
    send(tracer, umem, [plainFrame(70, 2)]);
    tracer.close();
    const written = readCapture(join(dir, 'x.pcap')).frames;
    expect(written.map(({ t, bytes }) => [t, Buffer.from(bytes)])).toEqual([
      [5000.5, Buffer.from(plainFrame(60, 1))],
      [5000.5, Buffer.from(plainFrame(70, 2))],
    ]);
    expect([got[0], memory.take()[0]]).toEqual([plainFrame(60, 1), plainFrame(70, 2)]);
    expect([tracer.name, tracer.kind, tracer.stats.rxPackets, umem.freeFrames]).toEqual(['m0', 'memory', 1, 16]);
    rmSync(dir, { recursive: true });
  });
});

describe('FaultInjector', () => {
  const frames = Array.from({ length: 1000 }, (_, i) =>
    Uint8Array.from({ length: 60 }, (_, k) => (k < 2 ? i >> (8 * k) : k === 12 ? 8 : k === 13 ? 0 : 0x55)),
  );

  function through(options: FaultOptions, capacity = 7) {
    const umem = new Umem(256);
    const memory = new MemoryDevice(umem);
    for (const frame of frames) memory.inject(frame);
    const fault = new FaultInjector(memory, umem, options);
    const got: Uint8Array[] = [];
    const batch = new Batch(capacity);
    while (fault.rx(batch) > 0) drain(batch, umem, got);
    fault.close();
    expect(umem.freeFrames).toBe(256);
    return { got, counts: fault.counts };
  }

  it('counts what it does, exactly, and the same seed does the same', () => {
    const { got, counts } = through({ seed: 1, drop: 0.1, corrupt: 0.1, duplicate: 0.1 });
    expect(got.length).toBe(1000 - counts.dropped + counts.duplicated);
    for (const n of [counts.dropped, counts.corrupted]) expect(Math.abs(n - 100)).toBeLessThan(35);
    expect(counts.duplicated).toBeGreaterThan(40);
    expect(through({ seed: 1, drop: 0.1, corrupt: 0.1, duplicate: 0.1 }).got).toEqual(got);
    expect(through({ seed: 2, drop: 0.1, corrupt: 0.1, duplicate: 0.1 }).got).not.toEqual(got);
  });

  it('does only what is asked', () => {
    expect(through({ seed: 3 }).got).toEqual(frames);
    expect(through({ seed: 3, drop: 1 }).got).toEqual([]);
    const { got } = through({ seed: 3, corrupt: 1 });
    const bits = got.map((frame, i) => frame.reduce((sum, byte, k) => sum + ones(byte ^ frames[i]![k]!), 0));
    expect(new Set(bits)).toEqual(new Set([1]));
    expect(through({ seed: 3, duplicate: 1 }, 64).got.length).toBe(2000);
  });

  it('changes bits that those of other wires cannot hide from the Internet checksum', () => {
    const columns = [0, 1, 2].map((wire) => {
      const { got } = through({ seed: 3, corrupt: 1, wire });
      const changed = got.map((frame, i) => frame.findIndex((byte, k) => byte !== frames[i]![k]));
      return changed.map((k, i) => (k % 2 === 0 ? 8 : 0) + Math.log2(got[i]![k]! ^ frames[i]![k]!));
    });
    expect(columns.map((all) => new Set(all).size)).toEqual([5, 5, 5]);
    expect(new Set(columns.flat()).size).toBe(15);
  });

  it('lets some frames pass later, and loses none', () => {
    const { got, counts } = through({ seed: 3, reorder: 0.1 });
    expect(Math.abs(counts.reordered - 100)).toBeLessThan(50);
    expect(got).not.toEqual(frames);
    const sorted = (all: readonly Uint8Array[]) => all.map((frame) => Buffer.from(frame).toString('hex')).sort();
    expect(sorted(got)).toEqual(sorted(frames));
  });

  it('refuses shares that make no sense', () => {
    expect(() => through({ seed: 1, drop: 0.8, corrupt: 0.3 })).toThrow('memory: fault shares must be');
  });
});

function ones(byte: number): number {
  return byte.toString(2).replaceAll('0', '').length;
}

/** What the loop counts of its turns: sizes of batches, busy time, stages and latency of measured turns. */
import { describe, expect, it } from 'vitest';
import { Director } from '../../src/dataplane/director.js';
import { Housekeeping } from '../../src/dataplane/housekeeping.js';
import { Loop } from '../../src/dataplane/loop.js';
import { Link } from '../../src/dataplane/table/link.js';
import type { Batch } from '../../src/device/batch.js';
import type { Device } from '../../src/device/device.js';
import { Umem } from '../../src/device/umem.js';
import { BATCH_BOUNDS, LATENCY_BOUNDS, LoopStats } from '../../src/stats/loop-stats.js';

describe('LoopStats', () => {
  it('counts batches by size, the last bucket without an end', () => {
    const stats = new LoopStats();
    for (const size of [0, 1, 2, 3, 4, 5, 64, 65, 256, 257, 9999]) {
      stats.begin(0);
      stats.end(size);
    }
    const { turns, frames, batches } = stats.read();
    expect({ turns, frames }).toEqual({ turns: 10, frames: 10_656 });
    const byBound = Object.fromEntries(batches.map((count, i) => [BATCH_BOUNDS[i] ?? 'more', count]));
    expect(byBound).toEqual({ 1: 1, 2: 1, 4: 2, 8: 1, 16: 0, 32: 0, 64: 1, 128: 1, 256: 1, more: 2 });
  });

  it('a turn with frames is busy until the next one begins', () => {
    const stats = new LoopStats();
    for (const [at, received] of [
      [0, 0],
      [10, 5],
      [14, 0],
      [30, 1],
      [31, 0],
    ] as const) {
      stats.begin(at);
      stats.end(received);
    }
    expect(stats.read().busySeconds).toBeCloseTo(0.005);
  });

  it('puts each latency into its bucket', () => {
    const stats = new LoopStats();
    stats.latency(0.002, 1);
    stats.latency(0.0021, 2);
    stats.latency(1000, 4);
    const { latencies, latencySum, sampledFrames } = stats.read();
    expect([latencies[0], latencies[1], latencies[LATENCY_BOUNDS.length]]).toEqual([1, 2, 4]);
    expect(latencySum).toBeCloseTo(4.0000062);
    expect(sampledFrames).toBe(7);
  });
});

it('a loop measures one turn of 64, and reads the clock in no other', () => {
  const umem = new Umem(64);
  const director = new Director(umem);
  director.links.push(new Link(0, 'eth0', new Float64Array(2) as never, 1500, false, false));
  const device = {
    name: 'eth0',
    rx: (batch: Batch) => {
      batch.push(umem.put(new Uint8Array(64))!, 64);
      return 1;
    },
  } as unknown as Device;
  const stats = new LoopStats();
  let read = 0;
  const clock = () => read++ * 0.001;
  const loop = new Loop(director, [device], new Housekeeping(director), 1, undefined, { stats, clock });
  for (let turn = 1; turn <= 63; turn++) loop.turn(turn);
  expect(read).toBe(0);
  loop.turn(64);
  expect(read).toBe(6);
  const { turns, sampledFrames, stageSeconds, latencySum } = stats.read();
  expect({ turns, sampledFrames }).toEqual({ turns: 64, sampledFrames: 1 });
  expect(stageSeconds.map((s) => Math.round(s * 1e6))).toEqual([1, 1, 2, 1]);
  expect(latencySum).toBeCloseTo(4e-6);
});

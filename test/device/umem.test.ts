/** Umem: frames that are reserved for good, or that the kernel has. */
import { describe, expect, it } from 'vitest';
import { HEADROOM, Umem } from '../../src/device/umem.js';

describe('reserved frames', () => {
  it('are adjacent, at the end, and never allocated', () => {
    const umem = new Umem(8, 1024);
    expect(umem.reserve(3)).toBe(5 * 1024 + HEADROOM);
    expect(umem.freeFrames).toBe(5);
    const frames = Array.from({ length: 5 }, () => umem.alloc());
    expect(frames.map((at) => (at - HEADROOM) / 1024)).toEqual([0, 1, 2, 3, 4]);
    expect(umem.alloc()).toBe(-1);
    for (const at of frames) umem.free(at);
    expect(umem.freeFrames).toBe(5);
  });

  it('are refused when one of them is in use, or when there are too few', () => {
    const umem = new Umem(4, 1024);
    const frames = Array.from({ length: 4 }, () => umem.alloc());
    for (const at of frames) umem.free(at);
    expect(umem.reserve(2)).toBe(-1);
    expect(new Umem(4).reserve(5)).toBe(-1);
    expect(umem.freeFrames).toBe(4);
  });
});

it('frees what the kernel does not have, after another process has used the frames', () => {
  const held = new Uint8Array(8);
  held[1] = 1;
  const umem = new Umem(8, 1024, new ArrayBuffer(8 * 1024), held);
  umem.reserve(2);
  // Meanwhile the other process gave frame 0 to the kernel and got frame 1 back.
  [held[0], held[1]] = [1, 0];
  umem.restock();
  const frames = Array.from({ length: umem.freeFrames }, () => (umem.alloc() - HEADROOM) / 1024);
  expect(frames).toEqual([1, 2, 3, 4, 5]);
});

it('counts the frames that the kernel has, whatever their socket, and those behind the last word', () => {
  for (const frames of [4, 7, 16, 130]) {
    const held = new Uint8Array(frames);
    const umem = new Umem(frames, 512, new ArrayBuffer(frames * 512), held);
    let expected = 0;
    for (const socket of [1, 127, 128, 255])
      for (let frame = socket % 3; frame < frames; frame += 2) {
        if (held[frame] === 0) expected++;
        held[frame] = socket;
        expect(umem.heldFrames).toBe(expected);
      }
  }
});

/** How many frames and ring slots a worker gets. */
import { describe, expect, it } from 'vitest';
import { ringsFor } from '../../src/device/umem-memory.js';

const GIB = 2 ** 30;

describe('ringsFor', () => {
  it.each([
    // queues, GiB of memory, slots: as many as 160 MiB and a 32nd of the memory allow
    [0, 64, 16_384],
    [2, 64, 16_384],
    [4, 64, 8192],
    [8, 64, 4096],
    [64, 64, 1024],
    [2, 4, 16_384],
    [2, 2, 8192],
    [2, 0.5, 1024],
  ])('%i queues in %d GiB have rings of %i slots', (queues, gib, slots) => {
    const { frames, entries } = ringsFor(queues, 2048, gib * GIB);
    expect(entries).toBe(slots);
    // Posted, being sent, and enough left over for all other devices.
    expect(frames - queues * (entries + Math.min(entries, 4096))).toBe(8192);
  });
});

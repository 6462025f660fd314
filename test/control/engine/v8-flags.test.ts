/** When V8 is told to compile for the packet path. */
import { setFlagsFromString } from 'node:v8';
import { beforeEach, expect, it, vi } from 'vitest';
import { inlineLittle, TrafficStart } from '../../../src/control/engine/v8-flags.js';

vi.mock('node:v8', () => ({ setFlagsFromString: vi.fn() }));
beforeEach(() => vi.mocked(setFlagsFromString).mockClear());

it('is told by the first 256 frames, whatever turns they come in', () => {
  const traffic = new TrafficStart();
  for (const frames of [0, 3, 252]) traffic.note(frames);
  expect(traffic.hasBegun).toBe(false);
  expect(setFlagsFromString).not.toHaveBeenCalled();
  traffic.note(64);
  expect(traffic.hasBegun).toBe(true);
  expect(vi.mocked(setFlagsFromString).mock.calls).toEqual([['--max-inlined-bytecode-size-cumulative=4500']]);
});

it('compiles for rules until then', () => {
  inlineLittle();
  new TrafficStart().note(256);
  const sizes = vi.mocked(setFlagsFromString).mock.calls.map(([flag]) => Number(flag.split('=')[1]));
  expect(sizes).toEqual([50, 4500]);
});

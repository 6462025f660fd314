/** Option lists of IPv4 and TCP. */
import { expect, it } from 'vitest';
import { viewOf } from '../../src/wire/decoded.js';
import * as options from '../../src/wire/options.js';
import { Random, SEED } from '../support/seed.js';
import { KERNEL, unhex } from './kernelframes.js';

const EMPTY = new Uint8Array(0);

it("reads the options of Linux's SYN", () => {
  const bytes = unhex(KERNEL.syn);
  const decoded = options.decode(bytes.subarray(54)) as options.OptionList;
  expect(decoded.options.map((o) => o.kind)).toEqual([
    options.MSS,
    options.SACK_PERMITTED,
    options.TIMESTAMPS,
    options.NOP,
    options.WINDOW_SCALE,
  ]);
  expect(decoded.options[0]).toEqual(options.mss(1460));
  expect(options.encode(decoded.options)).toEqual(bytes.subarray(54));
  expect(options.find(viewOf(bytes), 54, bytes.length, options.MSS)).toBe(54);
  expect(options.find(viewOf(bytes), 54, bytes.length, options.WINDOW_SCALE)).toBe(71);
  expect(options.find(viewOf(bytes), 54, bytes.length, options.SACK)).toBe(-1);
});

it('gives any list back, padded', () => {
  const random = new Random();
  for (let i = 0; i < 500; i++) {
    const list = Array.from({ length: random.below(5) }, () => {
      const kind = random.between(1, 255);
      return { kind, data: kind === options.NOP ? EMPTY : random.bytes(random.below(9)) };
    });
    const bytes = options.encode(list);
    expect(bytes.length % 4).toBe(0);
    expect(options.decode(bytes), `seed ${SEED} round ${i}`).toEqual({ options: list });
    for (const { kind } of list) {
      const at = options.find(viewOf(bytes), 0, bytes.length, kind);
      expect(bytes[at]).toBe(kind);
    }
  }
});

it.each([
  ['length 0', [2, 0, 0, 0]],
  ['length 1', [2, 1, 0, 0]],
  ['length beyond the end', [2, 5, 0, 0]],
  ['no length', [1, 1, 1, 2]],
])('refuses an option with %s', (_what, list) => {
  const bytes = Uint8Array.from(list);
  expect(options.decode(bytes)).toMatch(/^option 2 at byte \d has a wrong length$/);
  expect(options.find(viewOf(bytes), 0, 4, 2)).toBe(-1);
  expect(options.find(viewOf(bytes), 0, 4, 9)).toBe(-1);
});

it('stays within any bytes', () => {
  const random = new Random();
  for (let i = 0; i < 3000; i++) {
    const bytes = random.bytes(random.below(41)).map((b) => (b & 1 ? b : b >>> 5));
    const decoded = options.decode(bytes);
    const kind = random.between(1, 8);
    const at = options.find(viewOf(bytes), 0, bytes.length, kind);
    if (typeof decoded !== 'string') expect(at >= 0).toBe(decoded.options.some((o) => o.kind === kind));
    expect(at).toBeLessThan(Math.max(bytes.length, 1));
  }
});

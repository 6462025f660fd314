/** Warnings about many addresses: the first are named, the others are one line. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AddressWarnings } from '../../../src/control/host/address-warnings.js';

const addresses = (from: number, count: number) => Array.from({ length: count }, (_, i) => `10.0.0.${from + i}`);
let lines: string[];
let warnings: AddressWarnings;

beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  warnings = new AddressWarnings(
    (line) => lines.push(line),
    (address) => `${address}: no`,
    'VIP',
    'without a route',
  );
});
afterEach(() => vi.useRealTimers());

it('names a few at once, and says nothing more', () => {
  warnings.add(addresses(0, 3));
  expect(lines).toEqual(['10.0.0.0: no', '10.0.0.1: no', '10.0.0.2: no']);
  vi.advanceTimersByTime(10_000);
  expect(lines.length).toBe(3);
});

it('counts those after the first eight, whatever batches they come in', () => {
  for (let i = 0; i < 50; i++) {
    warnings.add(addresses(i * 5, 5));
    vi.advanceTimersByTime(400);
  }
  expect(lines).toEqual(addresses(0, 8).map((address) => `${address}: no`));
  vi.advanceTimersByTime(500);
  expect(lines.slice(8)).toEqual(['there are 242 more VIPs without a route, the last is 10.0.0.249']);
});

it('names the next ones after a pause', () => {
  warnings.add(addresses(0, 9));
  vi.advanceTimersByTime(500);
  warnings.add(addresses(100, 2));
  expect(lines.slice(8)).toEqual([
    'there is 1 more VIP without a route, the last is 10.0.0.8',
    '10.0.0.100: no',
    '10.0.0.101: no',
  ]);
});

it('says at the end what was only counted', () => {
  warnings.add(addresses(0, 10));
  warnings.end();
  expect(lines.at(-1)).toBe('there are 2 more VIPs without a route, the last is 10.0.0.9');
});

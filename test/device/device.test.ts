/** The counters that all devices have. */
import { setFlagsFromString } from 'node:v8';
import { expect, it } from 'vitest';
import { newDeviceStats } from '../../src/device/device.js';

it('a counter that grows beyond 32 bits invalidates no compiled code: its field is a double from the beginning', () => {
  setFlagsFromString('--allow-natives-syntax');
  const haveSameMap = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (a: object, b: object) => boolean;
  const [small, large] = [newDeviceStats(), newDeviceStats()];
  for (const name of Object.keys(large) as (keyof typeof large)[]) large[name] += 2 ** 40 + 0.5;
  expect(haveSameMap(small, large)).toBe(true);
  expect(Object.values(small)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  const plain = { rxPackets: 0 };
  const before = { rxPackets: 0 };
  plain.rxPackets += 2 ** 40;
  expect(haveSameMap(plain, before)).toBe(false); // the check can fail
});

import { expect, it } from 'vitest';
import { isUnicast } from '../../../src/control/rules/unicast.js';

it.each([
  ['0.0.0.0', false],
  ['0.0.0.1', true],
  ['10.0.0.1', true],
  ['127.0.0.1', true],
  ['223.255.255.255', true],
  ['224.0.0.1', false],
  ['239.255.255.255', false],
  ['240.0.0.1', true],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', true],
  ['::10.0.0.1', true],
  ['::ffff:10.0.0.1', false],
  ['2001:db8::1', true],
  ['e000::1', true],
  ['fc00::1', true],
  ['fe80::1', false],
  ['febf::1', false],
  ['fec0::1', true],
  ['ff02::1', false],
])('%s: %s, as kernel 6.1', (address, unicast) => {
  expect(isUnicast(address)).toBe(unicast);
});

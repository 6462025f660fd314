import { expect, it } from 'vitest';
import { unansweredVips } from '../../../src/control/host/unanswered-vips.js';

const at = (address: string) => ({ key: { protocol: 6, address, port: 80 } });
const SERVICES = [
  at('10.0.0.1'),
  at('10.0.0.1'),
  at('10.9.0.1'),
  at('2001:db8::1'),
  { key: { fwmark: 1, family: 4 as const } },
];
const has = (address: string) => address === '10.0.0.1';

it.each([
  ['without arp and ranges', false, [], ['10.9.0.1', '2001:db8::1']],
  ['with a range', false, ['10.9.0.0/16'], ['2001:db8::1']],
  ['with ranges of both families', false, ['10.9.0.0/16', '2001:db8::/64'], []],
  ['with arp', true, [], []],
] as const)('VIPs that nobody finds, %s', (_, arp, ranges, vips) => {
  expect(unansweredVips(SERVICES, { arp, ranges }, has)).toEqual(vips);
});

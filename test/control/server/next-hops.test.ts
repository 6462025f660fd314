import { expect, it } from 'vitest';
import { nextHops } from '../../../src/control/server/next-hops.js';
import type { Route } from '../../../src/dataplane/table/route-data.js';

const route = (to: string, device: number, more: Partial<Route> = {}): Route => ({
  family: to.includes(':') ? 6 : 4,
  to,
  device,
  type: 'unicast',
  metric: 0,
  ...more,
});
const main = [
  route('default', 0, { via: '10.0.0.254', metric: 100 }),
  route('192.168.1.0/24', 1),
  route('192.168.1.12/32', 1, { via: '192.168.1.1' }),
  route('192.168.2.0/24', 2, { metric: 20 }),
  route('192.168.2.0/24', 1, { metric: 10 }),
  route('172.16.0.0/12', -1, { type: 'blackhole' }),
  route('2001:db8::/32', 1, { via: 'fe80::1' }),
];
const tables = (routes: Route[]) => ({
  tables: [
    { id: 255, routes: [route('1.1.1.1/32', 0)] },
    { id: 254, routes },
  ],
  rules: [],
});
const ask = (addresses: string[], routes = main) => nextHops(addresses, tables(routes), ['eth0', 'eth1']);

it('finds the longest prefix of the main table, and the lowest metric', () => {
  expect(ask(['192.168.1.11', '192.168.1.12', '192.168.2.9', '8.8.8.8', '172.16.0.1', '2001:db8::5'])).toEqual([
    { address: '192.168.1.11', to: '192.168.1.0/24', device: 'eth1' },
    { address: '192.168.1.12', to: '192.168.1.12/32', device: 'eth1', via: '192.168.1.1' },
    { address: '192.168.2.9', to: '192.168.2.0/24', device: 'eth1' },
    { address: '8.8.8.8', to: 'default', device: 'eth0', via: '10.0.0.254' },
    { address: '172.16.0.1', to: 'default', device: 'eth0', via: '10.0.0.254' },
    { address: '2001:db8::5', to: '2001:db8::/32', device: 'eth1', via: 'fe80::1' },
  ]);
});

it('says nothing of addresses without a route, nor of a table that is too long; the host has no name', () => {
  expect(ask(['192.168.9.1', 'fd00::1'], main.slice(1))).toEqual([]);
  expect(
    ask(
      ['192.168.1.11'],
      Array.from({ length: 10_001 }, () => main[1]!),
    ),
  ).toEqual([]);
  expect(ask(['192.168.2.9'], [main[3]!])).toEqual([{ address: '192.168.2.9', to: '192.168.2.0/24', device: '' }]);
});

import { expect, it } from 'vitest';
import { ConfigError, parseConfig } from '../../../src/control/config/config.js';
import { checkRoutes } from '../../../src/control/config/route-check.js';
import { type DestinationConfig, type ForwardingMethod, PLAIN_TUNNEL } from '../../../src/service/config.js';

const CONFIG = parseConfig(
  `devices:
  - { name: eth0, addresses: [10.0.0.254/24] }
  - { name: eth1, addresses: [192.168.1.254/24, "fd00::1/64"] }
routes:
  - { to: 172.16.0.0/16, via: 192.168.1.1, dev: eth1 }
  - { to: 172.16.5.0/24, dev: eth1 }
`,
  'director.yaml',
);

function destination(address: string, method: ForwardingMethod): DestinationConfig {
  return { address, port: 80, method, weight: 1, upperThreshold: 0, lowerThreshold: 0, tunnel: PLAIN_TUNNEL };
}

function check(...destinations: [string, ForwardingMethod][]): string {
  const rules = destinations.map(([address, method], i) => ({
    line: { file: 'director.yaml', line: 20 + i, text: '' },
    destination: destination(address, method),
  }));
  try {
    checkRoutes(CONFIG, rules);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

it('takes what can be reached: on a link, behind a router but by masq or ipip, behind a route without router, own, local', () => {
  expect(check(['192.168.1.11', 'masq'], ['192.168.1.11', 'gatewaying'], ['fd00::9', 'ipip'])).toBe('');
  expect(check(['172.16.1.1', 'masq'], ['172.16.1.1', 'ipip'], ['172.16.5.1', 'gatewaying'])).toBe('');
  expect(check(['10.0.0.254', 'gatewaying'], ['127.0.0.1', 'local'])).toBe('');
});

it('names each destination that no frame could reach, its line and the remedy', () => {
  expect(
    check(['192.168.2.11', 'masq'], ['10.0.0.9', 'masq'], ['172.16.1.1', 'gatewaying'], ['fd01::1', 'ipip']),
  ).toMatchInlineSnapshot(`
    "director.yaml:20: destination 192.168.2.11: no route to it; the devices have 10.0.0.254/24 on eth0, 192.168.1.254/24 on eth1, fd00::1/64 on eth1; give a device an address there or add a route under "routes:"
    director.yaml:22: destination 172.16.1.1: is behind a router; gatewaying (-g) sends frames to its MAC address, so that it must be on a segment of the director; the devices have 10.0.0.254/24 on eth0, 192.168.1.254/24 on eth1, fd00::1/64 on eth1; give a device an address there, or use -i or -m
    director.yaml:23: destination fd01::1: no route to it; the devices have 10.0.0.254/24 on eth0, 192.168.1.254/24 on eth1, fd00::1/64 on eth1; give a device an address there or add a route under "routes:""
  `);
});

it('knows a director without addresses and routes', () => {
  const bare = parseConfig('devices: [ { name: eth0 } ]', 'd.yaml');
  const line = { file: 'd.yaml', line: 3, text: '' };
  expect(() => checkRoutes(bare, [{ line, destination: destination('10.0.0.1', 'masq') }])).toThrow(
    'd.yaml:3: destination 10.0.0.1: no route to it; no device has an address; give a device an address there or add a route under "routes:"',
  );
});

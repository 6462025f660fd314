/** Realservers to which no route leads. */
import { expect, it } from 'vitest';
import { unroutedDestinations } from '../../../src/control/host/unrouted.js';

const route = (dst: string, family: 4 | 6 = 4, type = 'unicast') => ({ dst, family, type }) as never;
const has = (address: string) => address === '10.0.0.254';

it('are those that neither a network, a default route nor the host itself has', () => {
  const rules = new Set(['192.168.1.11', '192.168.7.11', '10.0.0.254']);
  expect(unroutedDestinations(rules, [route('192.168.1.0/24')], has)).toEqual(['192.168.7.11']);
  expect(unroutedDestinations(rules, [route('192.168.0.0/16')], has)).toEqual([]);
  expect(unroutedDestinations(rules, [route('default')], has)).toEqual([]);
  const others = [route('default', 6), route('192.168.0.0/16', 4, 'blackhole')];
  expect(unroutedDestinations(rules, others, has)).toEqual(['192.168.1.11', '192.168.7.11']);
});

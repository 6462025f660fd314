/** Whether a service is served: weights, health, draining, connections. */
import { describe, expect, it } from 'vitest';
import type { Destination, DestinationHealth } from '../../../src/control/rules/entries.js';
import { servedOf } from '../../../src/control/rules/served.js';
import { PLAIN_TUNNEL } from '../../../src/service/config.js';

const key = { protocol: 6, address: '10.9.0.1', port: 80 };
const config = { key, scheduler: 'mh', flags: 0, timeout: 0, netmask: 0xffffffff, pe: '' };
const DOWN: DestinationHealth = { share: 0, weight: -1, absent: false };
const GONE: DestinationHealth = { share: 0, weight: -1, absent: true };
const HALF: DestinationHealth = { share: 0.5, weight: -1, absent: false };

function destination(weight: number, more: Partial<Destination> = {}): Destination {
  const limits = { upperThreshold: 0, lowerThreshold: 0, tunnel: PLAIN_TUNNEL };
  const own = { address: '192.168.1.11', port: 80, method: 'gatewaying' as const, weight, ...limits };
  return { slot: 7, config: own, lastWeight: weight, ...more };
}

/** `active`: active connections of each destination. */
function isServed(destinations: Destination[], active = 0): boolean {
  return servedOf({ slot: 1, config, destinations }, () => active).served;
}

describe('a service is served', () => {
  it.each<[string, Destination]>([
    ['by a weight above 0', destination(1)],
    ['by a destination that the checks say is up', destination(1, { health: { share: 1, weight: -1, absent: false } })],
    ['while its weight grows after a failure', destination(4, { health: HALF })],
  ])('%s', (_, one) => {
    expect(isServed([one])).toBe(true);
    expect(isServed([destination(0), one])).toBe(true);
  });

  it.each<[string, Destination]>([
    ['quiesced', destination(0)],
    ['draining', destination(1, { drain: 0 })],
  ])('by a destination that is %s as long as it has connections', (_, one) => {
    expect([isServed([one], 3), isServed([one], 0)]).toEqual([true, false]);
  });

  it.each<[string, Destination]>([
    ['down', destination(1, { health: DOWN })],
    ['down and removed', destination(1, { health: GONE })],
  ])('by no destination that is %s, whatever connections it has', (_, one) => {
    expect([isServed([one], 3), isServed([one], 0)]).toEqual([false, false]);
  });

  it('by none', () => {
    expect(isServed([])).toBe(false);
  });
});

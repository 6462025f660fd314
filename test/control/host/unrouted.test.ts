/** Realservers to which no route leads. */
import { expect, it } from 'vitest';
import { HostStack } from '../../../src/control/host/host-stack.js';
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

type Stack = ConstructorParameters<typeof HostStack>;

/** A host without routes, its warnings, and the number of walks over all services. */
function host() {
  const warned: string[] = [];
  const log = { warn: (text: string) => warned.push(/realserver (\S+):/.exec(text)![1]!) } as unknown as Stack[2];
  const live = { has, routes: [] as unknown[] };
  const config = { accept: { arp: true, ranges: [] }, snat: [] } as unknown as Stack[1];
  const present = new Set<string>();
  const walks = { count: 0 };
  const services = () => {
    walks.count++;
    return [{ destinations: [...present].map((address) => ({ address })) }] as never;
  };
  const stack = new HostStack(live as unknown as Stack[0], config, log, services, false);
  const change = (op: 'addDestination' | 'deleteDestination', address: string) => {
    if (op === 'addDestination') present.add(address);
    else present.delete(address);
    stack.intercept([(op === 'addDestination' ? { op, destination: { address } } : { op, address }) as never]);
  };
  stack.warnUnrouted();
  return { warned, live, walks, stack, change };
}

it('are warned of once each, looked up when they come, and all of them when routes change', () => {
  const { warned, live, walks, stack, change } = host();
  const look = (...changed: Parameters<typeof change>) => {
    change(...changed);
    stack.warnUnrouted();
  };
  const before = walks.count;
  look('addDestination', '192.168.1.11');
  look('addDestination', '192.168.1.12');
  look('addDestination', '192.168.1.11');
  expect(warned).toEqual(['192.168.1.11', '192.168.1.12']);
  expect(walks.count).toBe(before);
  look('deleteDestination', '192.168.1.11');
  look('addDestination', '192.168.1.11');
  expect(warned).toEqual(['192.168.1.11', '192.168.1.12', '192.168.1.11']);
  live.routes = [route('default')];
  stack.warnUnrouted();
  live.routes = [];
  stack.warnUnrouted();
  expect(warned.slice(3).sort()).toEqual(['192.168.1.11', '192.168.1.12']);
});

it('are not warned of when they have gone before the next look', () => {
  const { warned, stack, change } = host();
  change('addDestination', '192.168.1.11');
  change('addDestination', '192.168.1.12');
  change('deleteDestination', '192.168.1.11');
  stack.warnUnrouted();
  expect(warned).toEqual(['192.168.1.12']);
});

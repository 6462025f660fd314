/** A director on TAP devices has its addresses, MACs and routes in the process, where no kernel shows them. */
import { format4, mask4, parse4 } from '../../wire/address.js';
import type { Route } from '../topology.js';
import { network } from './address.js';
import type { AddressFact, DirectorFacts, HostFacts, RouteFact } from './site.js';

export function withProcess(host: HostFacts, { devices }: DirectorFacts, routes: readonly Route[]): HostFacts {
  const taps = devices.filter(({ kind }) => kind === 'tap');
  if (taps.length === 0) return host;
  const addresses = taps.flatMap(({ name, addresses: own }) =>
    own.filter((one) => !one.includes(':')).map((one) => addressOf(name, one)),
  );
  const policy = [{ priority: 1, table: 'main', from: '', length: 0, more: false }];
  return {
    ...host,
    addresses,
    policy,
    links: taps.map(({ name, mac, mtu }) => ({ dev: name, mac, mtu, up: true, kind: 'tap' })),
    routes: [...addresses.map(connected), ...routes.filter(({ to }) => !to.includes(':')).map(routeOf)],
    sysctls: {},
  };
}

function addressOf(dev: string, text: string): AddressFact {
  const { to, length } = network(text);
  return { dev, address: to, length };
}

function connected({ dev, address, length }: AddressFact): RouteFact {
  return { to: format4(parse4(address)! & mask4(length)), length, type: 'unicast', table: 'main', metric: 0, dev };
}

function routeOf({ to, via, dev }: Route): RouteFact {
  return { ...network(to), type: 'unicast', table: 'main', metric: 0, dev, ...(via !== undefined && { via }) };
}

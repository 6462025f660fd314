/**
 * Devices that the director does not share with the host (TAP): their addresses, MACs and routes
 * are in the director's process, and the kernel does not know them. The facts of the host are
 * replaced by what the director reports.
 */

import { format4, format6, isIPv6, mask4, maskWord, parse4, parse6 } from '../wire/address.js';
import { network } from './address.js';
import type { AddressFact, ConfiguredRoute, DirectorFacts, HostFacts, RouteFact } from './facts.js';
import { MAIN_TABLE_ONLY } from './routing.js';

/** Returns the host unchanged if the director shares all its devices. */
export function withUnsharedDevices(
  host: HostFacts,
  { devices }: DirectorFacts,
  routes: readonly ConfiguredRoute[],
): HostFacts {
  const own = devices.filter(({ shared }) => !shared);
  if (own.length === 0) return host;
  const addresses = own.flatMap((device) => device.addresses.map((one) => addressOf(device.name, one)));
  return {
    ...host,
    addresses,
    policy: MAIN_TABLE_ONLY,
    links: own.map(({ name, kind, mac, mtu }) => ({ dev: name, mac, mtu, up: true, kind, inProcess: true })),
    routes: [...addresses.map(connected), ...routes.map(routeOf)],
    sysctls: {},
  };
}

function addressOf(dev: string, text: string): AddressFact {
  const { to, length } = network(text);
  return { dev, address: to, length };
}

function connected({ dev, address, length }: AddressFact): RouteFact {
  return { to: base(address, length), length, type: 'unicast', table: 'main', metric: 0, dev };
}

function base(address: string, length: number): string {
  if (!isIPv6(address)) return format4(parse4(address)! & mask4(length));
  return format6(parse6(address)!.map((word, i) => word & maskWord(length, i)));
}

function routeOf({ to, via, dev }: ConfiguredRoute): RouteFact {
  return {
    ...network(to, isIPv6(via ?? to)),
    type: 'unicast',
    table: 'main',
    metric: 0,
    dev,
    ...(via !== undefined && { via }),
  };
}

/** A director whose devices are not shared with the host (TAP) has its addresses, MACs and routes in the process, where no kernel shows them. */

import { format4, format6, isIPv6, mask4, maskWord, parse4, parse6 } from '../wire/address.js';
import { network } from './address.js';
import type { AddressFact, DirectorFacts, HostFacts, RouteFact } from './facts.js';
import { MAIN_ALONE } from './routing.js';

/** A route as a configuration writes it. `via` left out: the network is on the wire itself. */
export interface ConfiguredRoute {
  readonly to: string;
  readonly via?: string;
  readonly dev: string;
}

export function withProcess(
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
    policy: MAIN_ALONE,
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

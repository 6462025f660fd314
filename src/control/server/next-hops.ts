/**
 * The next hops to destinations, for the drawing of the console: the longest prefix of the main
 * table, as `ip route get` finds it where no policy rule says otherwise.
 */
import { covers, prefixOf, type Route, type RouteData, wordsOf } from '../../dataplane/table/route-data.js';
import { addressFamily } from '../../wire/address.js';
import type { NextHop } from '../api/api.js';

const MAIN_TABLE = 254;
/** A longer table is not searched: the control thread has other work. */
const MOST_ROUTES = 10_000;

/** `devices`: names of the links, in their order. Addresses without a route are left out. */
export function nextHops(addresses: readonly string[], { tables }: RouteData, devices: readonly string[]): NextHop[] {
  const routes = tables.find(({ id }) => id === MAIN_TABLE)?.routes ?? [];
  if (routes.length > MOST_ROUTES) return [];
  const byLength = routes
    .filter(({ type }) => type === 'unicast')
    .map((route) => ({ route, prefix: prefixOf(route.to, route.family) }))
    .sort((a, b) => (b.prefix?.length ?? 0) - (a.prefix?.length ?? 0) || a.route.metric - b.route.metric);
  return addresses.flatMap((address) => {
    const family = addressFamily(address);
    const words = wordsOf(address);
    if (words === undefined) return [];
    const found = byLength.find(({ route, prefix }) => {
      return route.family === family && (prefix === undefined || covers(prefix, words, family));
    });
    return found === undefined ? [] : [hopOf(address, found.route, devices)];
  });
}

/** Packets by a device that is not the director's go by the routing of the host. */
function hopOf(address: string, { to, via, device }: Route, devices: readonly string[]): NextHop {
  return { address, to, device: devices[device] ?? '', ...(via !== undefined && { via }) };
}

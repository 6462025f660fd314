/**
 * Realservers to which no route of the host leads. Their packets would be dropped, and nothing else
 * would say why.
 */
import type { Route } from '../../netlink/route.js';
import { contains, parseIp, parsePrefix } from '../text/prefix.js';

/** The warning, one line. */
export function unroutedWarning(address: string): string {
  return `no route leads to the realserver ${address}: its packets are dropped; 'ip route' lists the routes`;
}

/** Those of the destinations' addresses that have no route. `has`: the host has the address. */
export function unroutedDestinations(
  addresses: ReadonlySet<string>,
  routes: readonly Pick<Route, 'dst' | 'type' | 'family'>[],
  has: (address: string) => boolean,
): string[] {
  const used = routes.filter(({ type }) => type === 'unicast');
  const everywhere = new Set(used.filter(({ dst }) => dst === 'default').map(({ family }) => family));
  const texts = new Set(used.map(({ dst }) => dst).filter((dst) => dst !== 'default'));
  const networks = [...texts].map((dst) => parsePrefix(dst)!);
  return [...addresses].filter((address) => {
    const ip = parseIp(address);
    if (ip === undefined || everywhere.has(ip.family) || has(address)) return false;
    return !networks.some((network) => contains(network, ip));
  });
}

/**
 * VIPs that nobody on the wire finds: no interface of the host has them, so that its kernel does not answer ARP (or neighbour
 * solicitations) for them, and the director does so only by `accept.arp`. That a router sends them here is said by `accept.ranges`.
 */
import { isFwmark } from '../../service/config.js';
import type { ServiceEntry } from '../api/api.js';
import type { AcceptConfig } from '../config/director-config.js';
import { contains, parseIp, parsePrefix } from '../text/prefix.js';

export function unansweredVips(
  services: readonly Pick<ServiceEntry, 'key'>[],
  { arp, ranges }: Pick<AcceptConfig, 'arp' | 'ranges'>,
  has: (address: string) => boolean,
): string[] {
  if (arp) return [];
  const vips = new Set(services.flatMap(({ key }) => (isFwmark(key) ? [] : [key.address])));
  return [...vips].filter((vip) => !has(vip) && !ranges.some((range) => contains(parsePrefix(range)!, parseIp(vip)!)));
}

export function warningOf(vip: string): string {
  return (
    `nobody here answers ARP for the VIP ${vip}: it is on no interface and accept.arp is off; give an interface the address, ` +
    'or set "accept: { arp: true }" in director.yaml; where a router sends its packets here, name it in accept.ranges'
  );
}

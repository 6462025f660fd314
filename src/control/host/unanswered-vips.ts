/**
 * VIPs that no host on the segment can find. No interface has them, so that the kernel does not
 * answer ARP (or neighbour solicitations), and without `accept.arp` the director does not either.
 * `accept.ranges` states that a router sends them here.
 */
import { isFwmark } from '../../service/config.js';
import type { ServiceEntry } from '../api/api.js';
import type { AcceptConfig, SnatConfig } from '../config/director-config.js';
import { contains, parseIp, parsePrefix } from '../text/prefix.js';

/** Addresses of services for which ARP gets no answer. `has`: the host has the address. */
export function unansweredVips(
  services: readonly Pick<ServiceEntry, 'key'>[],
  { arp, ranges }: Pick<AcceptConfig, 'arp' | 'ranges'>,
  has: (address: string) => boolean,
  snat: readonly Pick<SnatConfig, 'to'>[] = [],
): string[] {
  if (arp) return [];
  // The director itself answers for the addresses that snat translates to.
  const answered = new Set(snat.map(({ to }) => to));
  const vips = new Set(services.flatMap(({ key }) => (isFwmark(key) ? [] : [key.address])));
  return [...vips].filter(
    (vip) => !has(vip) && !answered.has(vip) && !ranges.some((range) => contains(parsePrefix(range)!, parseIp(vip)!)),
  );
}

/** The warning, one line. */
export function warningOf(vip: string): string {
  return (
    `nobody answers ARP for the VIP ${vip}: no interface has the address, and accept.arp is false; add the address to an ` +
    'interface, or set "accept: { arp: true }" in director.yaml; if a router sends its packets here, add it to accept.ranges'
  );
}

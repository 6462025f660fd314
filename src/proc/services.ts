/**
 * /proc/net/ip_vs. The kernel lists services in the order of its hash buckets, which differs after
 * each boot; here the newest service comes first.
 */

import type { AdminClient, DestinationEntry, ServiceEntry } from '../control/api/api.js';
import { ask } from '../control/api/ask.js';
import { type ForwardingMethod, familyOf, isFwmark, SVC_ONEPACKET, SVC_PERSISTENT } from '../service/config.js';
import { isIPv6 } from '../wire/address.js';
import { endpoint, hex } from './hex.js';

/** Ticks per second of the kernel's clock (Debian's). Times are printed in ticks. */
const HZ = 250;
const PROTOCOLS: Readonly<Record<number, string>> = { 6: 'TCP', 17: 'UDP', 132: 'SCTP' };
/** The kernel has no full NAT; it is printed as masquerading. */
const METHODS: Readonly<Record<ForwardingMethod, string>> = {
  masq: 'Masq',
  fullnat: 'Masq',
  bypass: 'Masq',
  local: 'Local',
  ipip: 'Tunnel',
  gatewaying: 'Route',
};

export async function servicesText(client: AdminClient): Promise<string> {
  const { services = [], info } = await ask(client, { op: 'list' });
  return [
    `IP Virtual Server version 1.2.1 (size=${info?.size ?? 4096})`,
    'Prot LocalAddress:Port Scheduler Flags',
    '  -> RemoteAddress:Port Forward Weight ActiveConn InActConn',
    ...services.flatMap((service) => [serviceLine(service), ...service.destinations.map(destinationLine)]),
    '',
  ].join('\n');
}

function serviceLine(service: ServiceEntry): string {
  return nameOf(service) + persistence(service);
}

/** IPv6 services do not show ops; blanks stay where a word is empty. */
function nameOf({ key, scheduler, flags }: ServiceEntry): string {
  const ops = (flags & SVC_ONEPACKET) !== 0 ? 'ops ' : '';
  if (isFwmark(key)) return `FWM  ${hex(key.fwmark, 8)} ${scheduler} ${ops}`;
  const name = `${PROTOCOLS[key.protocol]}  ${endpoint(key.address, key.port)} ${scheduler} `;
  return isIPv6(key.address) ? name : `${name}${ops} `;
}

/** The kernel prints the mask in reverse byte order, also an IPv6 prefix length. */
function persistence({ key, flags, timeout, netmask }: ServiceEntry): string {
  if ((flags & SVC_PERSISTENT) === 0) return '';
  const mask = familyOf(key) === 6 ? netmask << 24 : netmask;
  return `persistent ${timeout * HZ} ${hex(mask, 8)}`;
}

function destinationLine(entry: DestinationEntry): string {
  const { address, port, method, activeConns, inactConns, present } = entry;
  const weight = present?.weight ?? entry.weight;
  const counts = `${String(weight).padEnd(6)} ${String(activeConns).padEnd(10)} ${String(inactConns).padEnd(10)}`;
  return `  -> ${endpoint(address, port)}      ${METHODS[method].padEnd(7)} ${counts}`;
}

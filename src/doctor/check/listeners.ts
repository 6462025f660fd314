/**
 * Listeners: whether the service listens, and on which address and port (HOWTO 5.9 Q4; 7.2: in
 * LVS-DR on the VIP).
 */

import { endpoint } from '../../service/config.js';
import { isIPv6 } from '../../wire/address.js';
import type { Check, Facts, Finding } from '../facts.js';
import { redirects } from '../firewall.js';
import { isMarked, portOf, protocolOf, type RealServer, realServers, vipsOf } from '../queries.js';

export const listening: Check = (facts) => {
  // The director lists its newest service first; reversed, this is the order of the rules.
  const suspects = realServers(facts)
    .filter(({ service, host }) => !isMarked(service) && !redirects(host.firewall))
    .reverse()
    .flatMap((one) => missingListener(facts, one));
  const grouped = new Map<string, MissingListener[]>();
  for (const one of suspects) {
    const key = [one.id, one.host, one.before, one.after].join();
    grouped.set(key, [...(grouped.get(key) ?? []), one]);
  }
  return [...grouped.values()].map((list) => finding(facts, list));
};

/**
 * A service without its listener. `before` and `after` are the text around `wanted` in the finding.
 */
interface MissingListener extends Diagnosis {
  readonly host: string;
  readonly wanted: string;
  readonly seen: string;
}

interface Diagnosis {
  readonly id: string;
  readonly before: string;
  readonly after?: string;
}

/** One finding for all ports of a host with the same fault: they have one program and one fix. */
function finding(facts: Facts, list: readonly MissingListener[]): Finding {
  const [{ id, host, before, after = '' }] = list as [MissingListener];
  const all = (of: 'wanted' | 'seen') => [...new Set(list.map((one) => one[of]))];
  return {
    id,
    host,
    wrong: `${before}${all('wanted').join(' and ')}${after}`,
    seen: `\`ss -ltnu\` on ${host} shows ${all('seen').join(', ')}`,
    consequence: `${host} refuses the connections that the director sends: its share of the clients gets "connection refused"`,
    fix: restart(facts, host),
  };
}

function portIsFixed({ destination }: RealServer): boolean {
  return destination.method !== 'masq';
}

function listens({ service, host }: RealServer, address: string, port: number): boolean {
  const anywhere = ['*', '::', ...(isIPv6(address) ? [] : ['0.0.0.0'])];
  return host.listeners.some(
    (one) =>
      one.protocol === protocolOf(service) && one.port === String(port) && [...anywhere, address].includes(one.address),
  );
}

function missingListener(facts: Facts, one: RealServer): MissingListener[] {
  const { service, host } = one;
  const wanted = portIsFixed(one)
    ? { address: vipsOf(facts, service)[0], port: portOf(service) }
    : { address: one.destination.address, port: one.destination.port };
  const { address, port } = wanted;
  if (address === undefined || port === 0 || listens(one, address, port)) return [];
  const mine = host.listeners.filter(({ protocol }) => protocol === protocolOf(service));
  const there = mine.filter((listener) => listener.port === String(port)).map((listener) => listener.address);
  const elsewhere = mine.find((listener) => listener.address === address)?.port;
  const where = there.map((listener) => endpoint(listener, port)).join(', ') || `nothing on port ${port}`;
  const beside = elsewhere ? `, but ${endpoint(address, Number(elsewhere))}` : '';
  const udp = protocolOf(service) === 'udp' ? ' (UDP)' : '';
  const moved = portIsFixed(one) && elsewhere && there.length === 0;
  return [
    {
      ...(moved ? otherPort(host.name, elsewhere) : diagnosisOf(there, one.destination.address, host.name)),
      host: host.name,
      wanted: `${moved ? port : endpoint(address, port)}${udp}`,
      seen: `${where}${beside}${udp}`,
    },
  ];
}

/** DR and Tun do not rewrite the port, even if the rule names another one for the destination. */
function otherPort(host: string, port: string): Diagnosis {
  return {
    id: 'dr-port-differs',
    before: `the service on ${host} listens on port ${port}, but DR and Tun keep the VIP's port `,
  };
}

function diagnosisOf(addresses: readonly string[], rip: string, host: string): Diagnosis {
  if (addresses.length > 0 && addresses.every((address) => address.startsWith('127.') || address === '::1'))
    return { id: 'listens-on-loopback', before: `the service on ${host} listens on the loopback only, not on ` };
  if (addresses.includes(rip))
    return { id: 'listens-on-rip-only', before: `the service on ${host} listens on its RIP only, not on the VIP: ` };
  return { id: 'service-not-listening', before: `no service on ${host} listens on ` };
}

function restart({ lab }: Facts, host: string): string[] {
  if (!lab) return [`systemctl restart SERVICE   # on ${host}, after its configuration names that address`];
  return lab.programs.filter((one) => one.host === host).map(({ name }) => `ulvs lab restart ${lab.id} ${name}`);
}

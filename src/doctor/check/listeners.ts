/** Does the service listen, and where (HOWTO 5.9 Q4; 7.2: in DR on the VIP)? */

import { endpoint } from '../../service/config.js';
import { isIPv6 } from '../../wire/address.js';
import type { Check, Finding, Site } from '../facts.js';
import { redirects } from '../firewall.js';
import { isMarked, type Placed, placed, portOf, protocolOf, vipsOf } from '../query.js';

export const listening: Check = (site) => {
  // The director lists what was added last first: the other way round it is the order of the rules.
  const suspects = placed(site)
    .filter(({ service, host }) => !isMarked(service) && !redirects(host.firewall))
    .reverse()
    .flatMap((one) => silent(site, one));
  const together = new Map<string, Silence[]>();
  for (const one of suspects) {
    const key = [one.id, one.host, one.before, one.after].join();
    together.set(key, [...(together.get(key) ?? []), one]);
  }
  return [...together.values()].map((list) => finding(site, list));
};

/** Of one service; `before` and `after` are the words around what is wanted. */
interface Silence extends Blame {
  readonly host: string;
  readonly wanted: string;
  readonly seen: string;
}

interface Blame {
  readonly id: string;
  readonly before: string;
  readonly after?: string;
}

/** One for all ports of a host that the same is wrong with: they have one program, and one remedy. */
function finding(site: Site, list: readonly Silence[]): Finding {
  const [{ id, host, before, after = '' }] = list as [Silence];
  const all = (of: 'wanted' | 'seen') => [...new Set(list.map((one) => one[of]))];
  return {
    id,
    host,
    wrong: `${before}${all('wanted').join(' and ')}${after}`,
    seen: `\`ss -ltnu\` on ${host} shows ${all('seen').join(', ')}`,
    consequence: `${host} refuses what the director sends it: its share of the clients gets "connection refused"`,
    mend: restart(site, host),
  };
}

function keepsPort({ destination }: Placed): boolean {
  return destination.method !== 'masq';
}

function listens({ service, host }: Placed, address: string, port: number): boolean {
  const anywhere = ['*', '::', ...(isIPv6(address) ? [] : ['0.0.0.0'])];
  return host.listeners.some(
    (one) =>
      one.protocol === protocolOf(service) && one.port === String(port) && [...anywhere, address].includes(one.address),
  );
}

function silent(site: Site, one: Placed): Silence[] {
  const { service, host } = one;
  const wanted = keepsPort(one)
    ? { address: vipsOf(site, service)[0], port: portOf(service) }
    : { address: one.destination.address, port: one.destination.port };
  const { address, port } = wanted;
  if (address === undefined || port === 0 || listens(one, address, port)) return [];
  const mine = host.listeners.filter(({ protocol }) => protocol === protocolOf(service));
  const there = mine.filter((listener) => listener.port === String(port)).map((listener) => listener.address);
  const elsewhere = mine.find((listener) => listener.address === address)?.port;
  const where = there.map((listener) => endpoint(listener, port)).join(', ') || `nothing on port ${port}`;
  const beside = elsewhere ? `, but ${endpoint(address, Number(elsewhere))}` : '';
  const udp = protocolOf(service) === 'udp' ? ' (UDP)' : '';
  const moved = keepsPort(one) && elsewhere && there.length === 0;
  return [
    {
      ...(moved ? otherPort(host.name, elsewhere) : blame(there, one.destination.address, host.name)),
      host: host.name,
      wanted: `${moved ? port : endpoint(address, port)}${udp}`,
      seen: `${where}${beside}${udp}`,
    },
  ];
}

/** DR and Tun change no port, whatever the rule says of the destination's. */
function otherPort(host: string, port: string): Blame {
  return {
    id: 'dr-port-differs',
    before: `the service on ${host} has port ${port}, not the VIP's `,
    after: ', which DR and Tun cannot change',
  };
}

function blame(addresses: readonly string[], rip: string, host: string): Blame {
  if (addresses.length > 0 && addresses.every((address) => address.startsWith('127.') || address === '::1'))
    return { id: 'listens-on-loopback', before: `the service on ${host} listens on the loopback only, not on ` };
  if (addresses.includes(rip))
    return { id: 'listens-on-rip-only', before: `the service on ${host} listens on its RIP only, not on the VIP: ` };
  return { id: 'service-not-listening', before: `no service on ${host} listens on ` };
}

function restart({ lab }: Site, host: string): string[] {
  if (!lab) return [`systemctl restart SERVICE   # on ${host}, once it is configured to listen there`];
  return lab.programs.filter((one) => one.host === host).map(({ name }) => `ulvs lab restart ${lab.id} ${name}`);
}

/** Does the service listen, and where (HOWTO 5.9 Q4; 7.2: in DR on the VIP)? */
import { endpoint } from '../../topology.js';
import { isSix } from '../address.js';
import { redirects } from '../firewall.js';
import type { Check, Finding, Site } from '../site.js';
import { isMarked, type Placed, placed, portOf, protocolOf, vipsOf } from '../who.js';

export const listening: Check = (site) =>
  placed(site)
    .filter(({ service, host }) => !isMarked(service) && !redirects(host.firewall))
    .flatMap((one) => silent(site, one));

function keepsPort({ destination }: Placed): boolean {
  return destination.method !== 'masq';
}

function listens({ service, host }: Placed, address: string, port: number): boolean {
  const anywhere = ['*', '::', ...(isSix(address) ? [] : ['0.0.0.0'])];
  return host.listeners.some(
    (one) =>
      one.protocol === protocolOf(service) && one.port === String(port) && [...anywhere, address].includes(one.address),
  );
}

function silent(site: Site, one: Placed): Finding[] {
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
  return [
    {
      ...(keepsPort(one) && elsewhere && there.length === 0
        ? otherPort(host.name, elsewhere, port)
        : blame(there, one.destination.address, host.name, endpoint(address, port))),
      host: host.name,
      seen: `\`ss -ltnu\` on ${host.name} shows ${where}${beside}`,
      consequence: `${host.name} refuses what the director sends it: its share of the clients gets "connection refused"`,
      mend: restart(site, host.name),
    },
  ];
}

/** DR and Tun change no port, whatever the rule says of the destination's. */
function otherPort(host: string, port: string, wanted: number): Pick<Finding, 'id' | 'wrong'> {
  return {
    id: 'dr-port-differs',
    wrong: `the service on ${host} has port ${port}, not the VIP's ${wanted}, which DR and Tun cannot change`,
  };
}

function blame(addresses: readonly string[], rip: string, host: string, wanted: string): Pick<Finding, 'id' | 'wrong'> {
  if (addresses.length > 0 && addresses.every((address) => address.startsWith('127.') || address === '::1'))
    return {
      id: 'listens-on-loopback',
      wrong: `the service on ${host} listens on the loopback only, not on ${wanted}`,
    };
  if (addresses.includes(rip))
    return {
      id: 'listens-on-rip-only',
      wrong: `the service on ${host} listens on its RIP only, not on the VIP: ${wanted}`,
    };
  return { id: 'service-not-listening', wrong: `no service on ${host} listens on ${wanted}` };
}

function restart({ lab }: Site, host: string): string[] {
  if (!lab) return [`systemctl restart SERVICE   # on ${host}, once it is configured to listen there`];
  return lab.programs.filter((one) => one.host === host).map(({ name }) => `ulvs lab restart ${lab.id} ${name}`);
}

/** Who answers for a VIP on the wire: the director, and nobody else (HOWTO 7.4, "the ARP problem"). */
import { isIPv6 } from '../../wire/address.js';
import type { ArpAnswer, Check, Finding, HostFacts, Site } from '../facts.js';
import { on } from '../query.js';

export const arpAnswers: Check = (site) =>
  site.arp.flatMap((answer) => answer.macs.flatMap((mac) => stranger(site, answer, mac)));

function stranger(site: Site, answer: ArpAnswer, mac: string): Finding[] {
  const host = site.hosts.find(({ links }) => links.some((link) => link.mac === mac && link.dev !== 'lo'));
  if (host?.role === 'director' || site.director.devices.some((device) => device.mac === mac)) return [];
  const asker = site.hosts.find(({ name }) => name === answer.host)!;
  const seen = `${answer.host} asked on ${answer.dev} who has ${answer.vip}: ${answer.macs.join(' and ')} answered`;
  const forget = on(asker, `ip neigh flush to ${answer.vip}`);
  return [{ ...blame(host, answer.vip, mac), seen, mend: [...remedy(host, answer.vip), forget] }];
}

function blame(host: HostFacts | undefined, vip: string, mac: string): Omit<Finding, 'seen' | 'mend'> {
  const name = host?.name ?? mac;
  const consequence = `whoever asks may send the packets for ${vip} to ${name} instead of the director`;
  if (host?.role === 'realserver')
    return {
      id: 'realserver-answers-arp',
      host: name,
      wrong: `realserver ${name} answers ${isIPv6(vip) ? 'neighbour solicitations' : 'ARP'} for the VIP ${vip}`,
      consequence,
    };
  if (host?.role === 'backup')
    return {
      id: 'vip-on-backup',
      host: name,
      wrong: `the backup director ${name} has the VIP ${vip}, too`,
      consequence,
    };
  return { id: 'vip-owned-elsewhere', host: name, wrong: `another host, ${name}, has the VIP ${vip}`, consequence };
}

function remedy(host: HostFacts | undefined, vip: string): string[] {
  if (!host) return [];
  if (host.role === 'realserver' && !isIPv6(vip))
    return [on(host, 'sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2')];
  const there = host.addresses.filter(({ address }) => address === vip);
  const off = there
    .filter(({ dev }) => host.role !== 'realserver' || dev !== 'lo')
    .map(({ dev, length }) => on(host, `ip address del ${vip}/${length} dev ${dev}`));
  // Neighbour discovery speaks for the addresses of the asked interface only: on lo the VIP is silent.
  const silent = host.role !== 'realserver' || there.some(({ dev }) => dev === 'lo');
  return silent ? off : [...off, on(host, `ip address add ${vip}/128 dev lo`)];
}

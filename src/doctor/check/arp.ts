/** ARP: the director alone may answer for a VIP (HOWTO 7.4, "the ARP problem"). */
import { isIPv6 } from '../../wire/address.js';
import { width } from '../address.js';
import type { ArpAnswer, Check, Facts, Finding, HostFacts } from '../facts.js';
import { commandOn, director } from '../queries.js';

export const arpAnswers: Check = (facts) =>
  facts.arp.flatMap((answer) => answer.macs.flatMap((mac) => unexpectedAnswer(facts, answer, mac)));

/** A VIP that no interface has and that the director does not answer for. */
export const unansweredVips: Check = (facts) =>
  facts.director.unheard.filter((vip) => isNowhere(facts, vip)).map((vip) => unanswered(facts, vip));

function isNowhere({ hosts, arp }: Facts, vip: string): boolean {
  const own = hosts.some(
    ({ role, addresses }) => role === 'director' && addresses.some(({ address }) => address === vip),
  );
  return !own && !arp.some((answer) => answer.vip === vip && answer.macs.length > 0);
}

function unanswered(facts: Facts, vip: string): Finding {
  const host = director(facts);
  const question = isIPv6(vip) ? 'neighbour solicitations' : 'ARP';
  const [dev] = host.links.filter((link) => link.dev !== 'lo').map((link) => link.dev);
  return {
    id: 'vip-unanswered',
    host: host.name,
    wrong: `nobody answers ${question} for the VIP ${vip}`,
    seen: `no interface of ${host.name} has ${vip}, and accept.arp is false in director.yaml`,
    consequence: 'no host or router on the segment finds the director by this address',
    fix: [
      `${commandOn(host, `ip address add ${vip}/${width(vip)} dev ${dev ?? 'DEVICE'}`)}   # or accept: { arp: true }`,
    ],
  };
}

/** An answer from a MAC that is not the director's. */
function unexpectedAnswer(facts: Facts, answer: ArpAnswer, mac: string): Finding[] {
  const host = facts.hosts.find(({ links }) => links.some((link) => link.mac === mac && link.dev !== 'lo'));
  if (host?.role === 'director' || facts.director.devices.some((device) => device.mac === mac)) return [];
  const asker = facts.hosts.find(({ name }) => name === answer.host)!;
  const seen = `${answer.host} asked on ${answer.dev} who has ${answer.vip}: ${answer.macs.join(' and ')} answered`;
  const forget = commandOn(asker, `ip neigh flush to ${answer.vip}`);
  return [{ ...describe(host, answer.vip, mac), seen, fix: [...fixesFor(host, answer.vip), forget] }];
}

function describe(host: HostFacts | undefined, vip: string, mac: string): Omit<Finding, 'seen' | 'fix'> {
  const name = host?.name ?? mac;
  const consequence = `hosts on that wire may send packets for ${vip} to ${name} instead of the director`;
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
      wrong: `the backup director ${name} has the VIP ${vip} on an interface`,
      consequence,
    };
  return { id: 'vip-owned-elsewhere', host: name, wrong: `another host, ${name}, has the VIP ${vip}`, consequence };
}

function fixesFor(host: HostFacts | undefined, vip: string): string[] {
  if (!host) return [];
  if (host.role === 'realserver' && !isIPv6(vip))
    return [commandOn(host, 'sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2')];
  const there = host.addresses.filter(({ address }) => address === vip);
  const off = there
    .filter(({ dev }) => host.role !== 'realserver' || dev !== 'lo')
    .map(({ dev, length }) => commandOn(host, `ip address del ${vip}/${length} dev ${dev}`));
  // Neighbour discovery answers for addresses of the receiving interface only, so not for those on
  // lo.
  const silent = host.role !== 'realserver' || there.some(({ dev }) => dev === 'lo');
  return silent ? off : [...off, commandOn(host, `ip address add ${vip}/128 dev lo`)];
}

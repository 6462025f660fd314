/** Firewalls on the way, asked what they do with the packets an LVS needs. */
import { isIPv6 } from '../../wire/address.js';
import type { Check, Finding, HostFacts, Site } from '../facts.js';
import { dropper, type Probe, removal } from '../firewall.js';
import { byHost, clients, director, on, type Placed, placed, portOf, protocolOf, vipsOf } from '../query.js';

export const repliesPass: Check = (site) =>
  placed(site).flatMap((one) =>
    replies(site, one).flatMap(({ source, port }) =>
      clients(site, source).flatMap(({ host, address }) => held(site, one, host, reply(one, source, port, address))),
    ),
  );

/** As they leave the realserver. */
function replies(site: Site, { service, destination }: Placed): { source: string; port: number }[] {
  if (destination.method === 'masq') return [{ source: destination.address, port: destination.port }];
  return vipsOf(site, service).map((source) => ({ source, port: portOf(service) }));
}

function reply({ service }: Placed, source: string, port: number, cip: string): Probe {
  const protocol = protocolOf(service);
  const words = `the reply ${source} port ${port} > ${cip} (${protocol})`;
  return packet(words, protocol, source, cip, { [`${protocol} sport`]: port });
}

function packet(words: string, protocol: string, source: string, to: string, more: Probe['fields']): Probe {
  const six = isIPv6(to);
  const header: Probe['fields'] = six
    ? { 'ip6 saddr': source, 'ip6 daddr': to, 'ip6 nexthdr': protocol }
    : { 'ip saddr': source, 'ip daddr': to, 'ip protocol': protocol };
  return { words, protocol, six, fields: { ...header, ...more } };
}

function held(site: Site, { host: rs }: Placed, client: HostFacts, probe: Probe): Finding[] {
  const routers = site.hosts.filter(({ role }) => role === 'router');
  return [
    ...drops(rs, 'output', probe),
    ...routers.flatMap((router) => drops(router, 'forward', probe)),
    ...drops(client, 'input', probe),
  ].map((found) => ({ ...found, id: 'firewall-drops-replies', consequence: 'clients wait for an answer in vain' }));
}

type Found = Omit<Finding, 'id' | 'consequence'>;

function drops(host: HostFacts, hook: string, probe: Probe): Found[] {
  const dropped = dropper(host.firewall, hook, probe);
  if (!dropped) return [];
  const { chain, rule } = dropped;
  const what = rule ? `rule ${rule.handle}` : 'the policy';
  return [
    {
      host: host.name,
      wrong: `the firewall of ${host.name} drops ${probe.words}`,
      seen: `\`nft -a list ruleset\` on ${host.name}: ${what} of ${chain.family} ${chain.table} ${chain.name}, hook ${hook}`,
      mend: [on(host, removal(dropped))],
    },
  ];
}

/** Where the director encapsulates, a client must be told that its packets have to be shorter. */
export const fragNeeded: Check = (site) =>
  placed(site, ['ipip']).flatMap(({ service }) =>
    vipsOf(site, service).flatMap((vip) =>
      clients(site, vip).flatMap(({ host, address }) => {
        const probe = needed(vip, address);
        const routers = site.hosts.filter(({ role }) => role === 'router');
        const found = [...routers.flatMap((router) => drops(router, 'forward', probe)), ...drops(host, 'input', probe)];
        const consequence = `${host.name} goes on sending packets too long for the tunnel; long requests hang, short ones work`;
        return found.map((one) => ({ ...one, id: 'frag-needed-filtered', consequence }));
      }),
    ),
  );

function needed(vip: string, cip: string): Probe {
  if (isIPv6(cip))
    return packet(`ICMPv6 "packet too big" to ${cip}`, 'ipv6-icmp', vip, cip, { 'icmpv6 type': 'packet-too-big' });
  return packet(`ICMP "fragmentation needed" to ${cip}`, 'icmp', vip, cip, {
    'icmp type': 'destination-unreachable',
    'icmp code': 'frag-needed',
  });
}

/** IPv6 has no ARP beside it: a firewall that holds ICMPv6 back holds back who has which address. */
export const neighboursFound: Check = (site) =>
  byHost(placed(site))
    .filter(({ destination }) => isIPv6(destination.address))
    .flatMap(({ host: rs, destination }) =>
      [
        ...discovery(rs, destination.address, 'the director'),
        ...discovery(director(site), destination.address, rs.name),
      ].map((found) => ({
        ...found,
        id: 'neighbour-discovery-filtered',
        consequence: `the director finds no MAC for ${destination.address}: its share of the clients gets no answer`,
      })),
    );

/** Solicitations and advertisements, as they come in and go out. */
function discovery(host: HostFacts, rip: string, peer: string): Found[] {
  return ['nd-neighbor-solicit', 'nd-neighbor-advert'].flatMap((type) =>
    ['input', 'output'].flatMap((hook) =>
      drops(
        host,
        hook,
        packet(`${type} ${hook === 'input' ? 'from' : 'to'} ${peer}`, 'ipv6-icmp', rip, rip, { 'icmpv6 type': type }),
      ),
    ),
  );
}

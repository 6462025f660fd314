/** Firewalls: whether a rule drops packets that the LVS needs. */
import { isIPv6 } from '../../wire/address.js';
import type { Check, Facts, Finding, HostFacts } from '../facts.js';
import { type FirewallPacket, findDrop, removalCommand } from '../firewall.js';
import {
  clients,
  commandOn,
  director,
  onePerHost,
  portOf,
  protocolOf,
  type RealServer,
  realServers,
  vipsOf,
} from '../queries.js';

export const replyFirewalls: Check = (facts) =>
  realServers(facts).flatMap((one) =>
    replies(facts, one).flatMap(({ source, port }) =>
      clients(facts, source).flatMap(({ host, address }) =>
        dropsOnTheWay(facts, one, host, reply(one, source, port, address)),
      ),
    ),
  );

/** Source address and port of the replies as they leave the realserver. */
function replies(facts: Facts, { service, destination }: RealServer): { source: string; port: number }[] {
  if (destination.method === 'masq') return [{ source: destination.address, port: destination.port }];
  return vipsOf(facts, service).map((source) => ({ source, port: portOf(service) }));
}

function reply({ service }: RealServer, source: string, port: number, cip: string): FirewallPacket {
  const protocol = protocolOf(service);
  const words = `the reply ${source} port ${port} > ${cip} (${protocol})`;
  return packetOf(words, protocol, source, cip, { [`${protocol} sport`]: port });
}

function packetOf(
  words: string,
  protocol: string,
  source: string,
  to: string,
  more: FirewallPacket['fields'],
): FirewallPacket {
  const six = isIPv6(to);
  const header: FirewallPacket['fields'] = six
    ? { 'ip6 saddr': source, 'ip6 daddr': to, 'ip6 nexthdr': protocol }
    : { 'ip saddr': source, 'ip daddr': to, 'ip protocol': protocol };
  return { words, protocol, six, fields: { ...header, ...more } };
}

function dropsOnTheWay(facts: Facts, { host: rs }: RealServer, client: HostFacts, packetOf: FirewallPacket): Finding[] {
  const routers = facts.hosts.filter(({ role }) => role === 'router');
  return [
    ...drops(rs, 'output', packetOf),
    ...routers.flatMap((router) => drops(router, 'forward', packetOf)),
    ...drops(client, 'input', packetOf),
  ].map((found) => ({ ...found, id: 'firewall-drops-replies', consequence: 'clients get no answer' }));
}

type Found = Omit<Finding, 'id' | 'consequence'>;

function drops(host: HostFacts, hook: string, packetOf: FirewallPacket): Found[] {
  const dropped = findDrop(host.firewall, hook, packetOf);
  if (!dropped) return [];
  const { chain, rule } = dropped;
  const what = rule ? `rule ${rule.handle}` : 'the policy';
  return [
    {
      host: host.name,
      wrong: `the firewall of ${host.name} drops ${packetOf.words}`,
      seen: `\`nft -a list ruleset\` on ${host.name}: ${what} of ${chain.family} ${chain.table} ${chain.name}, hook ${hook}`,
      fix: [commandOn(host, removalCommand(dropped))],
    },
  ];
}

/**
 * A director that encapsulates tells clients by ICMP to send shorter packets. A firewall that drops
 * these messages makes long transfers hang.
 */
export const fragNeeded: Check = (facts) =>
  realServers(facts, ['ipip']).flatMap(({ service }) =>
    vipsOf(facts, service).flatMap((vip) =>
      clients(facts, vip).flatMap(({ host, address }) => {
        const packetOf = fragNeededPacket(vip, address);
        const routers = facts.hosts.filter(({ role }) => role === 'router');
        const found = [
          ...routers.flatMap((router) => drops(router, 'forward', packetOf)),
          ...drops(host, 'input', packetOf),
        ];
        const consequence = `${host.name} keeps sending packets that are too long for the tunnel: long requests hang, short ones work`;
        return found.map((one) => ({ ...one, id: 'frag-needed-filtered', consequence }));
      }),
    ),
  );

function fragNeededPacket(vip: string, cip: string): FirewallPacket {
  if (isIPv6(cip))
    return packetOf(`ICMPv6 "packet too big" to ${cip}`, 'ipv6-icmp', vip, cip, { 'icmpv6 type': 'packet-too-big' });
  return packetOf(`ICMP "fragmentation needed" to ${cip}`, 'icmp', vip, cip, {
    'icmp type': 'destination-unreachable',
    'icmp code': 'frag-needed',
  });
}

/**
 * Neighbour discovery is ICMPv6. A firewall that drops ICMPv6 leaves the director without the
 * realserver's MAC.
 */
export const neighbourDiscovery: Check = (facts) =>
  onePerHost(realServers(facts))
    .filter(({ destination }) => isIPv6(destination.address))
    .flatMap(({ host: rs, destination }) =>
      [
        ...discovery(rs, destination.address, 'the director'),
        ...discovery(director(facts), destination.address, rs.name),
      ].map((found) => ({
        ...found,
        id: 'neighbour-discovery-filtered',
        consequence: `the director cannot resolve the MAC of ${destination.address}: its share of the clients gets no answer`,
      })),
    );

/** Neighbour solicitations and advertisements, in both directions. */
function discovery(host: HostFacts, rip: string, peer: string): Found[] {
  return ['nd-neighbor-solicit', 'nd-neighbor-advert'].flatMap((type) =>
    ['input', 'output'].flatMap((hook) =>
      drops(
        host,
        hook,
        packetOf(`${type} ${hook === 'input' ? 'from' : 'to'} ${peer}`, 'ipv6-icmp', rip, rip, { 'icmpv6 type': type }),
      ),
    ),
  );
}

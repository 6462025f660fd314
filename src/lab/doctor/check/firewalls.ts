/** Firewalls on the way, asked what they do with the packets an LVS needs. */
import { dropper, type Probe, removal } from '../firewall.js';
import type { Check, Finding, HostFacts, Site } from '../site.js';
import { clients, on, type Placed, placed, portOf, protocolOf, vipsOf } from '../who.js';

export const repliesPass: Check = (site) =>
  placed(site, ['masq', 'gatewaying', 'ipip']).flatMap((one) =>
    clients(site).flatMap(({ host, address }) =>
      replies(site, one, address).flatMap((probe) => held(site, one.host, host, probe)),
    ),
  );

/** As it leaves the realserver. */
function replies(site: Site, { service, destination }: Placed, cip: string): Probe[] {
  const nat = destination.method === 'masq';
  const sport = nat ? destination.port : portOf(service);
  const protocol = protocolOf(service);
  return (nat ? [destination.address] : vipsOf(site, service)).map((source) => ({
    words: `the reply ${source}:${sport} > ${cip} (${protocol})`,
    protocol,
    fields: { 'ip saddr': source, 'ip daddr': cip, 'ip protocol': protocol, [`${protocol} sport`]: sport },
  }));
}

function held(site: Site, rs: HostFacts, client: HostFacts, probe: Probe): Finding[] {
  const routers = site.hosts.filter(({ role }) => role === 'router');
  return [
    ...drops(rs, 'output', probe),
    ...routers.flatMap((router) => drops(router, 'forward', probe)),
    ...(probe.words.includes('reply') ? drops(client, 'input', probe) : []),
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
      clients(site).flatMap(({ host, address }) => {
        const probe = needed(vip, address);
        const routers = site.hosts.filter(({ role }) => role === 'router');
        const found = [...routers.flatMap((router) => drops(router, 'forward', probe)), ...drops(host, 'input', probe)];
        const consequence = `${host.name} goes on sending packets too long for the tunnel; long requests hang, short ones work`;
        return found.map((one) => ({ ...one, id: 'frag-needed-filtered', consequence }));
      }),
    ),
  );

function needed(vip: string, cip: string): Probe {
  return {
    words: `ICMP "fragmentation needed" to ${cip}`,
    protocol: 'icmp',
    fields: {
      'ip saddr': vip,
      'ip daddr': cip,
      'ip protocol': 'icmp',
      'icmp type': 'destination-unreachable',
      'icmp code': 'frag-needed',
    },
  };
}

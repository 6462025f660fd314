/** DR and Tun realservers: the VIP, the way in, the way back (HOWTO 7.2, 7.5, 7.9). */
import { isIPv6 } from '../../wire/address.js';
import { width } from '../address.js';
import type { Check, Finding, HostFacts, LinkFact, Site } from '../facts.js';
import { redirects } from '../firewall.js';
import { byHost, clients, devOf, director, effective, hasAddress, on, type Placed, placed, vipsOf } from '../query.js';
import { isLocal, route } from '../routing.js';

const BARE = ['gatewaying', 'ipip'];

export const vipThere: Check = (site) =>
  placed(site, BARE).flatMap(({ service, destination, host }) => {
    const missing = redirects(host.firewall) ? [] : vipsOf(site, service).filter((vip) => !isLocal(host, vip));
    const dev = destination.method === 'ipip' ? (tunnels(host)[0] ?? 'tunl0') : 'lo';
    return missing.map((vip) => ({
      id: 'vip-missing',
      host: host.name,
      wrong: `${host.name} does not have the VIP ${vip}`,
      seen: `on ${host.name} \`ip route get ${vip}\` is not local`,
      consequence: `${host.name} takes packets for ${vip} for somebody else's and drops them`,
      mend: [on(host, `ip address add ${vip}/${width(vip)} dev ${dev}`)],
    }));
  });

export function tunnels({ links }: HostFacts): string[] {
  const isEnd = ({ kind, tunnel }: LinkFact) => tunnel || ['tun', 'ipip', 'ip6tnl'].includes(kind);
  return links.filter((link) => link.up && isEnd(link)).map(({ dev }) => dev);
}

/** The effective rp_filter is the larger of all's and the device's. */
export const reversePath: Check = (site) =>
  byHost(placed(site)).flatMap((one) => {
    const ways = one.destination.method === 'ipip' ? tunnels(one.host) : [devOf(one.host, one.destination.address)!];
    return ways.flatMap((dev) =>
      clients(site, one.destination.address).flatMap(({ address }) => martian(one, dev, address)),
    );
  });

/** IPv6 has no rp_filter. */
function martian({ host }: Placed, dev: string, cip: string): Finding[] {
  if (isIPv6(cip)) return [];
  const back = route(host, cip)?.dev;
  if (effective(host, dev, 'rp_filter') !== 1 || back === dev) return [];
  const guilty = ['all', dev].filter((one) => host.sysctls[`conf/${one}/rp_filter`] === 1);
  return [
    {
      id: 'rp-filter',
      host: host.name,
      wrong: `rp_filter on ${host.name}'s ${dev} drops the clients' packets`,
      seen: `net.ipv4.conf.${guilty[0]}.rp_filter is 1, and \`ip route get ${cip}\` leaves by ${back ?? 'no device'}, not ${dev}`,
      consequence: `what comes in by ${dev} from a client is taken for forged and dropped without a word`,
      mend: guilty.map((one) => on(host, `sysctl -w net.ipv4.conf.${one}.rp_filter=0`)),
    },
  ];
}

/** By what a realserver takes tunnels apart: its interfaces' kind, its raw sockets' protocol as ss words it. */
const ENDS = {
  four: { kind: 'ipip', number: 4, names: ['4', 'ipv4', 'ipencap', 'ipip'] },
  six: { kind: 'ip6tnl', number: 41, names: ['41', 'ipv6'] },
} as const;

export const tunnelEnds: Check = (site) =>
  byHost(placed(site, ['ipip'])).flatMap(({ host, destination }) => {
    if ((destination.tunnel?.type ?? 'ipip') !== 'ipip') return [];
    const end = isIPv6(destination.address) ? ENDS.six : ENDS.four;
    const raw = host.listeners.some(({ port }) => (end.names as readonly string[]).includes(port));
    if (raw || host.links.some(({ kind, up }) => kind === end.kind && up)) return [];
    return [
      {
        id: 'tunnel-endpoint-missing',
        host: host.name,
        wrong: `nothing on ${host.name} takes the director's tunnel packets apart`,
        seen: `${host.name} has no interface of kind ${end.kind} that is up and no raw socket for protocol ${end.number}`,
        consequence: `${host.name} answers the director's tunnel with "protocol unreachable"`,
        mend: endpoint(site, host, end.kind),
      },
    ];
  });

function endpoint({ lab }: Site, host: HostFacts, kind: string): string[] {
  if (lab) return [`ulvs lab restart ${lab.id} ${host.name}-decapsulator`];
  return [
    on(host, `modprobe ${kind === 'ipip' ? 'ipip' : 'ip6_tunnel'}`),
    on(host, `ip link set ${kind === 'ipip' ? 'tunl0' : 'ip6tnl0'} up`),
  ];
}

/** Replies from the VIP that pass a director which has the VIP itself are martians to its kernel (HOWTO 7.5). */
export const directorAsGateway: Check = (site) =>
  byHost(placed(site, BARE)).flatMap(({ service, host }) =>
    vipsOf(site, service).flatMap((vip) =>
      clients(site, vip).flatMap(({ address }) => throughDirector(site, host, vip, address)),
    ),
  );

function throughDirector(site: Site, rs: HostFacts, vip: string, cip: string): Finding[] {
  const box = director(site);
  const via = route(rs, cip, vip)?.via;
  if (via === undefined || !hasAddress(box, via)) return [];
  const dev = devOf(box, via)!;
  if (site.director.forwardShared.includes(dev)) return [];
  const own = box.addresses.filter(({ address }) => address === vip);
  if (own.length > 0)
    return [
      {
        id: 'director-gateway-martian',
        host: box.name,
        wrong: `the director is ${rs.name}'s gateway and has the VIP ${vip} itself, without forwardShared`,
        seen: `${rs.name} sends to ${cip} via ${via}; on the director ${vip} is on ${own[0]!.dev}; accept.forwardShared lacks ${dev}`,
        consequence: `the director's kernel drops ${rs.name}'s replies: they come from an address of its own`,
        mend: own.map(({ dev: where, length }) => on(box, `ip address del ${vip}/${length} dev ${where}`)),
      },
    ];
  const six = isIPv6(cip);
  if (box.sysctls[six ? 'ipv6/conf/all/forwarding' : 'ip_forward'] !== 0) return [];
  const sysctl = six ? 'net.ipv6.conf.all.forwarding' : 'net.ipv4.ip_forward';
  return [
    {
      id: 'director-does-not-forward',
      host: box.name,
      wrong: `the director is ${rs.name}'s gateway but does not forward`,
      seen: `${rs.name} sends to ${cip} via ${via}; ${sysctl} is 0 on the director`,
      consequence: `${rs.name}'s replies end at the director`,
      mend: [on(box, `sysctl -w ${sysctl}=1`)],
    },
  ];
}

/**
 * DR and Tun realservers: the VIP, the tunnel, the way in and the way back (HOWTO 7.2, 7.5, 7.9).
 */
import { isIPv6 } from '../../wire/address.js';
import { width } from '../address.js';
import type { Check, Facts, Finding, HostFacts, LinkFact } from '../facts.js';
import { redirects } from '../firewall.js';
import {
  clients,
  commandOn,
  devOf,
  director,
  effectiveSysctl,
  hasAddress,
  onePerHost,
  type RealServer,
  realServers,
  vipsOf,
} from '../queries.js';
import { isLocal, route } from '../routing.js';

const WITH_VIP = ['gatewaying', 'ipip'];

export const vipPresent: Check = (facts) =>
  realServers(facts, WITH_VIP).flatMap(({ service, destination, host }) => {
    const missing = redirects(host.firewall) ? [] : vipsOf(facts, service).filter((vip) => !isLocal(host, vip));
    const dev = destination.method === 'ipip' ? (tunnels(host)[0] ?? 'tunl0') : 'lo';
    return missing.map((vip) => ({
      id: 'vip-missing',
      host: host.name,
      wrong: `${host.name} does not have the VIP ${vip}`,
      seen: `on ${host.name} \`ip route get ${vip}\` is not local`,
      consequence: `${host.name} drops packets for ${vip}, because the address is not its own`,
      fix: [commandOn(host, `ip address add ${vip}/${width(vip)} dev ${dev}`)],
    }));
  });

export function tunnels({ links }: HostFacts): string[] {
  const isEnd = ({ kind, tunnel }: LinkFact) => tunnel || ['tun', 'ipip', 'ip6tnl'].includes(kind);
  return links.filter((link) => link.up && isEnd(link)).map(({ dev }) => dev);
}

/** Reverse path filter. The effective value is the larger of `all` and the device's own. */
export const reversePath: Check = (facts) =>
  onePerHost(realServers(facts)).flatMap((one) => {
    const ways = one.destination.method === 'ipip' ? tunnels(one.host) : [devOf(one.host, one.destination.address)!];
    return ways.flatMap((dev) =>
      clients(facts, one.destination.address).flatMap(({ address }) => strictReversePath(one, dev, address)),
    );
  });

/**
 * A strict reverse path filter on a device that is not the route to the client. IPv6 has no
 * rp_filter.
 */
function strictReversePath({ host }: RealServer, dev: string, cip: string): Finding[] {
  if (isIPv6(cip)) return [];
  const back = route(host, cip)?.dev;
  if (effectiveSysctl(host, dev, 'rp_filter') !== 1 || back === dev) return [];
  const guilty = ['all', dev].filter((one) => host.sysctls[`conf/${one}/rp_filter`] === 1);
  return [
    {
      id: 'rp-filter',
      host: host.name,
      wrong: `rp_filter on ${host.name}'s ${dev} drops the clients' packets`,
      seen: `net.ipv4.conf.${guilty[0]}.rp_filter is 1, and \`ip route get ${cip}\` leaves by ${back ?? 'no device'}, not ${dev}`,
      consequence: `packets from clients that arrive on ${dev} count as spoofed and are dropped silently`,
      fix: guilty.map((one) => commandOn(host, `sysctl -w net.ipv4.conf.${one}.rp_filter=0`)),
    },
  ];
}

/**
 * What terminates a tunnel on a realserver: an interface of this kind, or a raw socket of this
 * protocol (ss(8) prints numbers or names).
 */
const TUNNELS = {
  four: { kind: 'ipip', number: 4, names: ['4', 'ipv4', 'ipencap', 'ipip'] },
  six: { kind: 'ip6tnl', number: 41, names: ['41', 'ipv6'] },
} as const;

export const tunnelEnds: Check = (facts) =>
  onePerHost(realServers(facts, ['ipip'])).flatMap(({ host, destination }) => {
    if ((destination.tunnel?.type ?? 'ipip') !== 'ipip') return [];
    const end = isIPv6(destination.address) ? TUNNELS.six : TUNNELS.four;
    const raw = host.listeners.some(({ port }) => (end.names as readonly string[]).includes(port));
    if (raw || host.links.some(({ kind, up }) => kind === end.kind && up)) return [];
    return [
      {
        id: 'tunnel-endpoint-missing',
        host: host.name,
        wrong: `nothing on ${host.name} decapsulates the director's tunnel packets`,
        seen: `${host.name} has no interface of kind ${end.kind} that is up and no raw socket for protocol ${end.number}`,
        consequence: `${host.name} answers the director's tunnel with "protocol unreachable"`,
        fix: endpoint(facts, host, end.kind),
      },
    ];
  });

function endpoint({ lab }: Facts, host: HostFacts, kind: string): string[] {
  if (lab) return [`ulvs lab restart ${lab.id} ${host.name}-decapsulator`];
  return [
    commandOn(host, `modprobe ${kind === 'ipip' ? 'ipip' : 'ip6_tunnel'}`),
    commandOn(host, `ip link set ${kind === 'ipip' ? 'tunl0' : 'ip6tnl0'} up`),
  ];
}

/**
 * Replies from the VIP that pass a director with that VIP on an interface are martians to its
 * kernel (HOWTO 7.5).
 */
export const directorAsGateway: Check = (facts) =>
  onePerHost(realServers(facts, WITH_VIP)).flatMap(({ service, host }) =>
    vipsOf(facts, service).flatMap((vip) =>
      clients(facts, vip).flatMap(({ address }) => throughDirector(facts, host, vip, address)),
    ),
  );

function throughDirector(facts: Facts, rs: HostFacts, vip: string, cip: string): Finding[] {
  const directorHost = director(facts);
  const via = route(rs, cip, vip)?.via;
  if (via === undefined || !hasAddress(directorHost, via)) return [];
  const dev = devOf(directorHost, via)!;
  if (facts.director.forwardShared.includes(dev)) return [];
  const own = directorHost.addresses.filter(({ address }) => address === vip);
  if (own.length > 0)
    return [
      {
        id: 'director-gateway-martian',
        host: directorHost.name,
        wrong: `the director is ${rs.name}'s gateway and has the VIP ${vip} on an interface, without forwardShared`,
        seen: `${rs.name} sends to ${cip} via ${via}; on the director ${vip} is on ${own[0]!.dev}; accept.forwardShared lacks ${dev}`,
        consequence: `the director's kernel drops ${rs.name}'s replies as martians: their source is an address of its own`,
        fix: own.map(({ dev: where, length }) =>
          commandOn(directorHost, `ip address del ${vip}/${length} dev ${where}`),
        ),
      },
    ];
  const six = isIPv6(cip);
  if (directorHost.sysctls[six ? 'ipv6/conf/all/forwarding' : 'ip_forward'] !== 0) return [];
  const sysctl = six ? 'net.ipv6.conf.all.forwarding' : 'net.ipv4.ip_forward';
  return [
    {
      id: 'director-does-not-forward',
      host: directorHost.name,
      wrong: `the director is ${rs.name}'s gateway but does not forward`,
      seen: `${rs.name} sends to ${cip} via ${via}; ${sysctl} is 0 on the director`,
      consequence: `the director drops ${rs.name}'s replies`,
      fix: [commandOn(directorHost, `sysctl -w ${sysctl}=1`)],
    },
  ];
}

/** LVS-NAT: every reply must pass the director (HOWTO 5.9 Q1, 5.12, 5.13). */
import { isIPv6 } from '../../wire/address.js';
import type { Check, Facts, Finding, HostFacts, RouteFact } from '../facts.js';
import {
  clients,
  commandOn,
  devOf,
  director,
  effectiveSysctl,
  hasAddress,
  neighbourAddress,
  onePerHost,
  type RealServer,
  realServers,
} from '../queries.js';
import { defaultRoute, route } from '../routing.js';

export const repliesByDirector: Check = (facts) =>
  onePerHost(realServers(facts, ['masq'])).flatMap((one) =>
    clients(facts, one.destination.address).flatMap(({ address }) => reply(facts, one, address)),
  );

const LOST = 'the client gets the reply from the RIP instead of the VIP, answers with RST, and the connection hangs';

function reply(facts: Facts, { host, destination }: RealServer, cip: string): Finding[] {
  const found = route(host, cip, destination.address);
  if (found?.type === 'local' || (found?.via !== undefined && hasAddress(director(facts), found.via))) return [];
  const seen = `on ${host.name} \`ip route get ${cip} from ${destination.address}\` ${routeText(found)}`;
  const base = defaultRoute(host, destination.address);
  const around = found && found.length > 0 && base?.via !== undefined && hasAddress(director(facts), base.via);
  if (around) {
    const fix = [commandOn(host, `ip route del ${found.to}/${found.length} ${hopText(found)}${tableOf(found)}`)];
    return [
      {
        id: 'second-path',
        host: host.name,
        wrong: `${host.name} has a second path to the client that does not pass the director`,
        seen,
        consequence: LOST,
        fix,
      },
    ];
  }
  const dip = neighbourAddress(director(facts), host, cip);
  const fix = dip
    ? [commandOn(host, `ip route replace default via ${dip.address} dev ${dip.dev}${found ? tableOf(found) : ''}`)]
    : [];
  return [
    {
      id: 'gateway-not-director',
      host: host.name,
      wrong: `${host.name}'s gateway is not the director`,
      seen,
      consequence: LOST,
      fix,
    },
  ];
}

function routeText(found: RouteFact | undefined): string {
  return found ? `uses ${hopText(found)} (route ${found.to}/${found.length})` : 'finds no route';
}

function hopText({ via, dev }: RouteFact): string {
  return `${via ? `via ${via} ` : ''}dev ${dev}`;
}

function tableOf({ table }: RouteFact): string {
  return table === 'main' ? '' : ` table ${table}`;
}

/**
 * A kernel sends a redirect only if it forwards and the packet leaves by the device it came in by.
 */
export const redirects: Check = (facts) => {
  const host = director(facts);
  return onePerHost(realServers(facts, ['masq'])).flatMap(({ destination, host: rs }) => {
    const inner = route(host, destination.address)?.dev;
    const shared = clients(facts, destination.address).some(({ address }) => route(host, address)?.dev === inner);
    if (inner === undefined || !shared) return [];
    if (isIPv6(destination.address)) return redirects6(host, rs, inner, devOf(rs, destination.address)!);
    if (host.sysctls.ip_forward !== 1 || effectiveSysctl(host, inner, 'send_redirects') === 0) return [];
    const off = ['all', inner].map((dev) => commandOn(host, `sysctl -w net.ipv4.conf.${dev}.send_redirects=0`));
    return [
      {
        id: 'redirects',
        host: host.name,
        wrong: `the director sends ICMP redirects on ${inner}, and clients and realservers share that wire`,
        seen: `net.ipv4.conf.all.send_redirects or net.ipv4.conf.${inner}.send_redirects is 1, ip_forward is 1`,
        consequence: shortcutConsequence(rs),
        fix: [...off, ...flushCommands(facts)],
      },
    ];
  });
};

function shortcutConsequence({ name }: HostFacts): string {
  return `${name} learns a direct route to the client, and its replies do not pass the director`;
}

/** A kernel that forwards IPv6 has no sysctl against redirects: the realserver must ignore them. */
function redirects6(directorHost: HostFacts, rs: HostFacts, inner: string, dev: string): Finding[] {
  const sysctl = `conf/${dev}/accept_redirects`;
  if (directorHost.sysctls['ipv6/conf/all/forwarding'] !== 1 || rs.sysctls[`ipv6/${sysctl}`] !== 1) return [];
  const off = `sysctl -w net.ipv6.conf.${dev}.accept_redirects=0`;
  return [
    {
      id: 'redirects',
      host: rs.name,
      wrong: `${rs.name} accepts ICMPv6 redirects, and the director's kernel sends them on ${inner}, which clients and realservers share`,
      seen: `net.ipv6.conf.all.forwarding is 1 on the director, net.ipv6.conf.${dev}.accept_redirects 1 on ${rs.name}`,
      consequence: shortcutConsequence(rs),
      fix: [commandOn(rs, off), commandOn(rs, 'ip -6 route flush cache')],
    },
  ];
}

/** Routes that realservers learned from redirects stay for minutes. */
function flushCommands(facts: Facts): string[] {
  return onePerHost(realServers(facts, ['masq'])).map(({ host }) => commandOn(host, 'ip route flush cache'));
}

/** LVS-NAT: every reply must come back through the director (HOWTO 5.9 Q1, 5.12, 5.13). */
import { isIPv6 } from '../../wire/address.js';
import type { Check, Finding, HostFacts, RouteFact, Site } from '../facts.js';
import {
  byHost,
  clients,
  devOf,
  director,
  effective,
  hasAddress,
  neighbourAddress,
  on,
  type Placed,
  placed,
} from '../query.js';
import { defaultRoute, route } from '../routing.js';

export const repliesByDirector: Check = (site) =>
  byHost(placed(site, ['masq'])).flatMap((one) =>
    clients(site, one.destination.address).flatMap(({ address }) => reply(site, one, address)),
  );

const LOST = 'the client gets the reply from an address it never asked, answers with a reset, and the connection hangs';

function reply(site: Site, { host, destination }: Placed, cip: string): Finding[] {
  const taken = route(host, cip, destination.address);
  if (taken?.type === 'local' || (taken?.via !== undefined && hasAddress(director(site), taken.via))) return [];
  const seen = `on ${host.name} \`ip route get ${cip} from ${destination.address}\` goes ${words(taken)}`;
  const base = defaultRoute(host, destination.address);
  const around = taken && taken.length > 0 && base?.via !== undefined && hasAddress(director(site), base.via);
  if (around) {
    const mend = [on(host, `ip route del ${taken.to}/${taken.length} ${wayOf(taken)}${tableOf(taken)}`)];
    return [
      {
        id: 'second-path',
        host: host.name,
        wrong: `${host.name} has a second path to the client, past the director`,
        seen,
        consequence: LOST,
        mend,
      },
    ];
  }
  const dip = neighbourAddress(director(site), host, cip);
  const mend = dip
    ? [on(host, `ip route replace default via ${dip.address} dev ${dip.dev}${taken ? tableOf(taken) : ''}`)]
    : [];
  return [
    {
      id: 'gateway-not-director',
      host: host.name,
      wrong: `${host.name}'s gateway is not the director`,
      seen,
      consequence: LOST,
      mend,
    },
  ];
}

function words(taken: RouteFact | undefined): string {
  return taken ? `${wayOf(taken)} (route ${taken.to}/${taken.length})` : 'nowhere';
}

function wayOf({ via, dev }: RouteFact): string {
  return `${via ? `via ${via} ` : ''}dev ${dev}`;
}

function tableOf({ table }: RouteFact): string {
  return table === 'main' ? '' : ` table ${table}`;
}

/** Only a kernel that forwards sends redirects, and only back out of where the packet came from. */
export const redirects: Check = (site) => {
  const host = director(site);
  return byHost(placed(site, ['masq'])).flatMap(({ destination, host: rs }) => {
    const inner = route(host, destination.address)?.dev;
    const shared = clients(site, destination.address).some(({ address }) => route(host, address)?.dev === inner);
    if (inner === undefined || !shared) return [];
    if (isIPv6(destination.address)) return redirects6(host, rs, inner, devOf(rs, destination.address)!);
    if (host.sysctls.ip_forward !== 1 || effective(host, inner, 'send_redirects') === 0) return [];
    const off = ['all', inner].map((dev) => on(host, `sysctl -w net.ipv4.conf.${dev}.send_redirects=0`));
    return [
      {
        id: 'redirects',
        host: host.name,
        wrong: `the director sends ICMP redirects on ${inner}, where clients and realservers both are`,
        seen: `net.ipv4.conf.all.send_redirects or net.ipv4.conf.${inner}.send_redirects is 1, ip_forward is 1`,
        consequence: learnt(rs),
        mend: [...off, ...forget(site)],
      },
    ];
  });
};

function learnt({ name }: HostFacts): string {
  return `${name} learns the short way to the client, and its replies miss the director`;
}

/** Where a kernel that forwards IPv6 has no switch: the realserver must not listen. */
function redirects6(box: HostFacts, rs: HostFacts, inner: string, dev: string): Finding[] {
  const sysctl = `conf/${dev}/accept_redirects`;
  if (box.sysctls['ipv6/conf/all/forwarding'] !== 1 || rs.sysctls[`ipv6/${sysctl}`] !== 1) return [];
  const off = `sysctl -w net.ipv6.conf.${dev}.accept_redirects=0`;
  return [
    {
      id: 'redirects',
      host: rs.name,
      wrong: `${rs.name} believes ICMPv6 redirects, and the director's kernel sends them on ${inner}, where clients and realservers both are`,
      seen: `net.ipv6.conf.all.forwarding is 1 on the director, net.ipv6.conf.${dev}.accept_redirects 1 on ${rs.name}`,
      consequence: learnt(rs),
      mend: [on(rs, off), on(rs, 'ip -6 route flush cache')],
    },
  ];
}

/** What realservers have learnt already stays for minutes. */
function forget(site: Site): string[] {
  return byHost(placed(site, ['masq'])).map(({ host }) => on(host, 'ip route flush cache'));
}

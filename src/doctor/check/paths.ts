/** From the director to its realservers: routes, segments, MTUs. */
import { isIPv6 } from '../../wire/address.js';
import { covers, width, within } from '../address.js';
import type { Check, Finding, HostFacts, LabFacts, LinkFact, Site } from '../facts.js';
import { byHost, devOf, director, edit, linkOf, neighbourAddress, on, ownerOf, placed } from '../query.js';
import { MAIN_ALONE, route } from '../routing.js';

/** Also realservers that cannot be looked at. */
export const routesToRealservers: Check = (site) => {
  const box = director(site);
  // In the order of the rules: the director lists what was added last first.
  const rips = site.director.services.flatMap(({ destinations }) => destinations.map(({ address }) => address));
  const lost = [...new Set(rips.reverse())].filter((rip) => !route(box, rip));
  const fallen = new Set(lost.flatMap((rip) => downTo(site, box, rip) ?? []));
  return [
    ...[...fallen].map((dev) => {
      const behind = lost.filter((rip) => downTo(site, box, rip) === dev);
      const mend = [on(box, `ip link set ${dev} up`), ...built(site, box, behind)];
      return noRoute(box, behind, `; ${dev} is down`, mend);
    }),
    ...lost
      .filter((rip) => downTo(site, box, rip) === undefined)
      .map((rip) => noRoute(box, [rip], '', wayTo(site, box, rip))),
  ];
};

function noRoute(box: HostFacts, rips: readonly string[], why: string, mend: readonly string[]): Finding {
  return {
    id: 'no-route-to-realserver',
    host: box.name,
    wrong: `the director has no route to the realserver ${rips.join(', ')}`,
    seen: `on the director \`ip route get ${rips[0]}\` finds nothing${why}`,
    consequence: `its share of the connections is answered by ICMP "unreachable"`,
    mend,
  };
}

/** An interface that is down and would lead there: by its network, or as the lab was built. Its routes are gone with it. */
function downTo(site: Site, box: HostFacts, rip: string): string | undefined {
  const own = box.addresses.filter(({ address, length }) => within(rip, address, length)).map(({ dev }) => dev);
  const others = labRoute(site, box, rip)?.dev ?? [];
  return own.concat(others).find((dev) => linkOf(box, dev)?.up === false);
}

function labRoute({ lab }: Site, box: HostFacts, rip: string): LabFacts['routes'][number] | undefined {
  return lab?.routes.find(({ host, to }) => host === box.name && covers(to, rip));
}

/** What comes up again has its network's route by itself; others were added when the lab was built. */
function built(site: Site, box: HostFacts, rips: readonly string[]): string[] {
  return [...new Set(rips.flatMap((rip) => labRoute(site, box, rip) ?? []))].map((known) => adding(box, known));
}

function adding(box: HostFacts, { to, via, dev }: LabFacts['routes'][number]): string {
  return on(box, `ip route add ${to}${via ? ` via ${via}` : ''} dev ${dev}`);
}

function wayTo(site: Site, box: HostFacts, rip: string): string[] {
  const known = labRoute(site, box, rip);
  if (known) return [adding(box, known)];
  const routers = site.hosts.filter(
    ({ role, routes }) => role === 'router' && route({ routes, policy: MAIN_ALONE }, rip),
  );
  const by = routers.flatMap((router) => neighbourAddress(router, box, rip) ?? [])[0];
  const [via, why] = by ? [`${by.address} dev ${by.dev}`, ''] : ['GATEWAY', '   # a router that knows the way'];
  return [on(box, `ip route add ${rip}/${width(rip)} via ${via}${why}`)];
}

export const onSegment: Check = (site) => {
  const box = director(site);
  return site.director.services.flatMap((service) =>
    service.destinations
      .filter(({ method, address }) => method === 'gatewaying' && route(box, address)?.via !== undefined)
      .map((destination) => ({
        id: 'dr-not-on-segment',
        host: box.name,
        wrong: `the DR realserver ${destination.address} is behind a gateway, not on the director's segment`,
        seen: `on the director \`ip route get ${destination.address}\` goes via ${route(box, destination.address)!.via}`,
        consequence: 'the packet, still to the VIP, goes to the gateway, which sends it back to the director',
        mend: [edit(site, service, { ...destination, method: 'ipip' })],
      })),
  );
};

interface Hop {
  readonly host: HostFacts;
  readonly link: LinkFact;
}

/** What a link of the tunnel's path is short of. */
export const tunnelMtu: Check = (site) =>
  byHost(placed(site, ['ipip'])).flatMap(({ destination }) => {
    const hops = path(site, destination.address);
    const full = hops[0]?.link.mtu ?? 0;
    const more = isIPv6(destination.address) ? 40 : 20;
    return hops
      .filter(({ link }) => link.mtu < full)
      .map(({ host, link }) => ({
        id: 'mtu-too-small',
        host: host.name,
        wrong: `${host.name}'s ${link.dev} has an MTU of ${link.mtu}, less than the ${full} the director reckons with`,
        seen: `on the way from the director to ${destination.address}, \`ip link show ${link.dev}\` on ${host.name}`,
        consequence: `full-size packets with DF, ${more} bytes longer in the tunnel, are lost there`,
        mend: [on(host, `ip link set ${link.dev} mtu ${full}`)],
      }));
  });

/** NAT and DR: two ends of one wire that are not agreed on how long a packet may be; no router is there to say so. */
export const wireMtu: Check = (site) =>
  byHost(placed(site, ['masq', 'gatewaying'])).flatMap(({ destination }) => {
    const hops = path(site, destination.address);
    return hops.flatMap(({ host, link }, i) => {
      const far = hops[i + 1];
      if (i % 2 !== 0 || !far || far.link.mtu === link.mtu) return [];
      const [small, large] = link.mtu < far.link.mtu ? [{ host, link }, far] : [far, { host, link }];
      return [
        {
          id: 'mtu-differs',
          host: small.host.name,
          wrong: `${small.host.name}'s ${small.link.dev} has an MTU of ${small.link.mtu}, ${large.host.name}'s ${large.link.dev} on the same wire ${large.link.mtu}`,
          seen: `on the way from the director to ${destination.address}, \`ip link show\` on both hosts`,
          consequence: `what ${large.host.name} sends longer than ${small.link.mtu} is lost without an ICMP error: long datagrams, and TCP where it had no say in its segments`,
          mend: [on(small.host, `ip link set ${small.link.dev} mtu ${large.link.mtu}`)],
        },
      ];
    });
  });

/** Both ends of every wire, in pairs. */
function path(site: Site, rip: string): Hop[] {
  const hops: Hop[] = [];
  let host: HostFacts | undefined = director(site);
  for (let n = 0; host && n < 8; n++) {
    const next = route(host, rip);
    const out = linkOf(host, next?.dev);
    if (!next || next.type === 'local' || !out) break;
    hops.push({ host, link: out });
    const to: string = next.via ?? rip;
    host = ownerOf(site, to);
    const into = host && linkOf(host, devOf(host, to));
    if (host && into) hops.push({ host, link: into });
  }
  return hops;
}

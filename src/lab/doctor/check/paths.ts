/** From the director to its realservers: routes, segments, MTUs. */
import { covers, isSix, width } from '../address.js';
import { MAIN_ALONE, route } from '../routing.js';
import type { Check, HostFacts, LinkFact, Site } from '../site.js';
import { byHost, devOf, director, edit, linkOf, neighbourAddress, on, ownerOf, placed } from '../who.js';

/** Also realservers that cannot be looked at. */
export const routesToRealservers: Check = (site) => {
  const box = director(site);
  const rips = new Set(
    site.director.services.flatMap(({ destinations }) => destinations.map(({ address }) => address)),
  );
  const lost = [...rips].filter((rip) => !route(box, rip));
  return lost.map((rip) => ({
    id: 'no-route-to-realserver',
    host: box.name,
    wrong: `the director has no route to the realserver ${rip}`,
    seen: `on the director \`ip route get ${rip}\` finds nothing`,
    consequence: `its share of the connections is answered by ICMP "unreachable"`,
    mend: wayTo(site, box, rip),
  }));
};

function wayTo(site: Site, box: HostFacts, rip: string): string[] {
  const known = site.lab?.routes.find(({ host, to }) => host === box.name && covers(to, rip));
  if (known) return [on(box, `ip route add ${known.to}${known.via ? ` via ${known.via}` : ''} dev ${known.dev}`)];
  const routers = site.hosts.filter(
    ({ role, routes }) => role === 'router' && route({ routes, policy: MAIN_ALONE }, rip),
  );
  const by = routers.flatMap((router) => neighbourAddress(router, box, rip) ?? [])[0];
  return by ? [on(box, `ip route add ${rip}/${width(rip)} via ${by.address} dev ${by.dev}`)] : [];
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
    const more = isSix(destination.address) ? 40 : 20;
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

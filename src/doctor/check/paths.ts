/** The path from the director to its realservers: routes, segments, MTUs. */
import { isIPv6 } from '../../wire/address.js';
import { covers, width, within } from '../address.js';
import type { Check, Facts, Finding, HostFacts, LabFacts, LinkFact } from '../facts.js';
import {
  commandOn,
  devOf,
  director,
  editCommand,
  linkOf,
  neighbourAddress,
  onePerHost,
  ownerOf,
  realServers,
} from '../queries.js';
import { MAIN_TABLE_ONLY, route } from '../routing.js';

/** Also checks realservers that cannot be inspected. */
export const routesToRealservers: Check = (facts) => {
  const directorHost = director(facts);
  // The director lists its newest service first; reversed, this is the order of the rules.
  const rips = facts.director.services.flatMap(({ destinations }) => destinations.map(({ address }) => address));
  const unroutable = [...new Set(rips.reverse())].filter((rip) => !route(directorHost, rip));
  const downDevices = new Set(unroutable.flatMap((rip) => downDevice(facts, directorHost, rip) ?? []));
  return [
    ...[...downDevices].map((dev) => {
      const behind = unroutable.filter((rip) => downDevice(facts, directorHost, rip) === dev);
      const fix = [commandOn(directorHost, `ip link set ${dev} up`), ...lostLabRoutes(facts, directorHost, behind)];
      return noRoute(directorHost, behind, `; ${dev} is down`, fix);
    }),
    ...unroutable
      .filter((rip) => downDevice(facts, directorHost, rip) === undefined)
      .map((rip) => noRoute(directorHost, [rip], '', routeCommands(facts, directorHost, rip))),
  ];
};

function noRoute(directorHost: HostFacts, rips: readonly string[], why: string, fix: readonly string[]): Finding {
  return {
    id: 'no-route-to-realserver',
    host: directorHost.name,
    wrong: `the director has no route to the realserver ${rips.join(', ')}`,
    seen: `on the director \`ip route get ${rips[0]}\` finds nothing${why}`,
    consequence: `its share of the clients gets ICMP "unreachable"`,
    fix,
  };
}

/**
 * The device that is down and would lead to the realserver: by its network, or by the lab's routes.
 * The kernel removed its routes when it went down.
 */
function downDevice(facts: Facts, directorHost: HostFacts, rip: string): string | undefined {
  const own = directorHost.addresses
    .filter(({ address, length }) => within(rip, address, length))
    .map(({ dev }) => dev);
  const others = labRoute(facts, directorHost, rip)?.dev ?? [];
  return own.concat(others).find((dev) => linkOf(directorHost, dev)?.up === false);
}

function labRoute({ lab }: Facts, directorHost: HostFacts, rip: string): LabFacts['routes'][number] | undefined {
  return lab?.routes.find(({ host, to }) => host === directorHost.name && covers(to, rip));
}

/**
 * The lab's routes by that device. The kernel restores the network's own route when the device
 * comes up, but not these.
 */
function lostLabRoutes(facts: Facts, directorHost: HostFacts, rips: readonly string[]): string[] {
  return [...new Set(rips.flatMap((rip) => labRoute(facts, directorHost, rip) ?? []))].map((known) =>
    addRoute(directorHost, known),
  );
}

function addRoute(directorHost: HostFacts, { to, via, dev }: LabFacts['routes'][number]): string {
  return commandOn(directorHost, `ip route add ${to}${via ? ` via ${via}` : ''} dev ${dev}`);
}

function routeCommands(facts: Facts, directorHost: HostFacts, rip: string): string[] {
  const known = labRoute(facts, directorHost, rip);
  if (known) return [addRoute(directorHost, known)];
  const routers = facts.hosts.filter(
    ({ role, routes }) => role === 'router' && route({ routes, policy: MAIN_TABLE_ONLY }, rip),
  );
  const by = routers.flatMap((router) => neighbourAddress(router, directorHost, rip) ?? [])[0];
  const [via, why] = by ? [`${by.address} dev ${by.dev}`, ''] : ['GATEWAY', '   # a router that has a route to it'];
  return [commandOn(directorHost, `ip route add ${rip}/${width(rip)} via ${via}${why}`)];
}

export const onSegment: Check = (facts) => {
  const directorHost = director(facts);
  return facts.director.services.flatMap((service) =>
    service.destinations
      .filter(({ method, address }) => method === 'gatewaying' && route(directorHost, address)?.via !== undefined)
      .map((destination) => ({
        id: 'dr-not-on-segment',
        host: directorHost.name,
        wrong: `the DR realserver ${destination.address} is behind a gateway, not on the director's segment`,
        seen: `on the director \`ip route get ${destination.address}\` goes via ${route(directorHost, destination.address)!.via}`,
        consequence: 'the packet still has the VIP as destination: the gateway sends it back to the director',
        fix: [editCommand(facts, service, { ...destination, method: 'ipip' })],
      })),
  );
};

interface PathEnd {
  readonly host: HostFacts;
  readonly link: LinkFact;
}

/** Tunnel path: a device whose MTU is smaller than that of the director's own device. */
export const tunnelMtu: Check = (facts) =>
  onePerHost(realServers(facts, ['ipip'])).flatMap(({ destination }) => {
    const hops = path(facts, destination.address);
    const full = hops[0]?.link.mtu ?? 0;
    const more = isIPv6(destination.address) ? 40 : 20;
    return hops
      .filter(({ link }) => link.mtu < full)
      .map(({ host, link }) => ({
        id: 'mtu-too-small',
        host: host.name,
        wrong: `${host.name}'s ${link.dev} has an MTU of ${link.mtu}, less than the ${full} of the director's device`,
        seen: `on the way from the director to ${destination.address}, \`ip link show ${link.dev}\` on ${host.name}`,
        consequence: `full-size packets with DF are lost there: the tunnel header makes them ${more} bytes longer`,
        fix: [commandOn(host, `ip link set ${link.dev} mtu ${full}`)],
      }));
  });

/** NAT and DR: two ends of a wire that differ in MTU. No router is there to send an ICMP error. */
export const wireMtu: Check = (facts) =>
  onePerHost(realServers(facts, ['masq', 'gatewaying'])).flatMap(({ destination }) => {
    const hops = path(facts, destination.address);
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
          consequence: `packets of ${large.host.name} longer than ${small.link.mtu} are lost without an ICMP error: long datagrams, and TCP segments of connections whose MSS was not agreed with ${small.host.name}`,
          fix: [commandOn(small.host, `ip link set ${small.link.dev} mtu ${large.link.mtu}`)],
        },
      ];
    });
  });

/** The path from the director to the realserver, as pairs of the two ends of each wire. */
function path(facts: Facts, rip: string): PathEnd[] {
  const hops: PathEnd[] = [];
  let host: HostFacts | undefined = director(facts);
  for (let n = 0; host && n < 8; n++) {
    const next = route(host, rip);
    const out = linkOf(host, next?.dev);
    if (!next || next.type === 'local' || !out) break;
    hops.push({ host, link: out });
    const to: string = next.via ?? rip;
    host = ownerOf(facts, to);
    const into = host && linkOf(host, devOf(host, to));
    if (host && into) hops.push({ host, link: into });
  }
  return hops;
}

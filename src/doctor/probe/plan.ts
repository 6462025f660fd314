/**
 * What a director's box can ask each realserver by itself: which packet, from where, and by which neighbour. The packet is the
 * one the director would send it, but with the box's own address for the client's, so that the answer comes back here.
 *
 *     masq        DIP -> RIP:rport                       gatewaying  DIP -> VIP:port, to the realserver's MAC
 *     ipip        DIP -> RIP (DIP -> VIP:port)
 */

import { endpoint, isFwmark, TCP } from '../../service/config.js';
import type { MarkRule } from '../../service/mark.js';
import { width, within } from '../address.js';
import type { DestinationFact, DeviceFact, HostFacts, ServiceFact, Site } from '../facts.js';
import { FIRST_PORT, PORTS, ROOM } from '../listen.js';
import { addressesLike, director, linkOf, serviceWords } from '../query.js';
import { route } from '../routing.js';

/** A line of the report. */
export interface Row {
  readonly service: string;
  readonly destination: string;
  readonly method: string;
  readonly verdict: string;
  readonly detail: string;
}

export type Names = Pick<Row, 'service' | 'destination' | 'method'>;

export interface Plan {
  readonly names: Names;
  readonly service: ServiceFact;
  readonly destination: DestinationFact;
  readonly rip: string;
  /** Of the box, on the way to the realserver. */
  readonly dip: string;
  readonly dev: string;
  readonly mac: string;
  /** The realserver itself, or the gateway before it. */
  readonly neighbour: string;
  /** Where the SYN is for; absent when nobody knows (UDP, a mark without a port): then only the host is asked for. */
  readonly aim?: { readonly address: string; readonly port: number };
  /** The source port, which is also the id of its echo request. */
  readonly own: number;
}

/** A port each; the others of the range are for the way through the director. */
const MOST = PORTS - ROOM;

export interface Plans {
  readonly plans: readonly Plan[];
  /** What cannot be asked, and why. */
  readonly left: readonly Row[];
}

export function plansFor(site: Site): Plans {
  const first = Math.floor(Math.random() * MOST);
  const plans: Plan[] = [];
  const left: Row[] = [];
  for (const service of site.director.services)
    for (const destination of service.destinations) {
      const found = planFor(site, service, destination, FIRST_PORT + ((first + plans.length) % MOST));
      if (!('own' in found)) left.push(found);
      else if (plans.length < MOST) plans.push(found);
      else left.push({ ...found.names, verdict: 'not asked', detail: `${MOST} others were` });
    }
  return { plans, left };
}

function planFor(site: Site, service: ServiceFact, destination: DestinationFact, own: number): Plan | Row {
  const { address: rip, method, port, weight } = destination;
  const names = { service: serviceWords(service), destination: endpoint(rip, port), method };
  const not = (detail: string): Row => ({ ...names, verdict: 'not asked', detail });
  if (weight === 0) return not('its weight is 0');
  const host = director(site);
  const way = route(host, rip);
  const link = linkOf(host, way?.dev);
  if (!way || !link) return not('there is no route to it');
  if (way.type === 'local' || method === 'local') return not('it is this host');
  if (link.inProcess) return not(`the director's addresses on ${link.dev} are in its process, not this host's`);
  if (link.mac === '') return not(`${link.dev} is no Ethernet`);
  if (method === 'ipip' && (destination.tunnel?.type ?? 'ipip') !== 'ipip') return not('its tunnel is not IPIP');
  const exclusive = method === 'masq' ? undefined : interceptor(site, link.dev);
  if (exclusive !== undefined)
    return not(`what it answers by ${link.dev} the director takes for itself (${exclusive.kind}, forwardShared)`);
  const neighbour = way.via ?? rip;
  const dip = ownAddress(host, link.dev, neighbour);
  if (dip === undefined) return not(`this host has no address on ${link.dev} to ask from`);
  const aim = aimOf(site, service, destination);
  return { names, service, destination, rip, dip, dev: link.dev, mac: link.mac, neighbour, ...(aim && { aim }), own };
}

/** The director's device that keeps packets from a VIP that come in there from this host's stack. */
function interceptor({ director: { devices, forwardShared } }: Site, dev: string): DeviceFact | undefined {
  if (!forwardShared.includes(dev)) return undefined;
  return devices.find(({ name, exclusive }) => name === dev && exclusive);
}

/** In the neighbour's network, or else any of that interface. */
function ownAddress(host: HostFacts, dev: string, neighbour: string): string | undefined {
  const mine = addressesLike(host, neighbour).filter((own) => own.dev === dev);
  return (mine.find(({ address, length }) => within(neighbour, address, length)) ?? mine[0])?.address;
}

function aimOf(site: Site, service: ServiceFact, { address, port, method }: DestinationFact): Plan['aim'] {
  const virtual = virtualOf(site, service);
  if (!virtual) return undefined;
  if (method !== 'masq' && method !== 'fullnat') return virtual;
  return { address, port: port || virtual.port };
}

/** The address and TCP port that clients ask for. */
function virtualOf({ director: { marks } }: Site, { key }: ServiceFact): Plan['aim'] {
  if (!isFwmark(key)) return key.protocol === TCP ? { address: key.address, port: key.port } : undefined;
  const rule = marks.find((one) => one.flip === key.fwmark && one.protocol?.protocol === TCP);
  return rule && someTarget(rule);
}

function someTarget({ dst, dports }: MarkRule): Plan['aim'] {
  const port = dports?.negated ? undefined : dports?.ranges[0]?.[0];
  if (!dst || dst.negated || port === undefined) return undefined;
  const isHost = dst.length === width(dst.address);
  return { address: isHost ? dst.address : dst.address.replace(/\d*$/, (last) => String(Number(last) + 1)), port };
}

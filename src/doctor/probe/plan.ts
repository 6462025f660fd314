/**
 * The probe of each realserver: which packet, from which address, by which neighbour. It is the
 * packet that the director would send, but with this machine's own address as the client's, so that
 * the answer comes back here.
 *
 *     masq        DIP -> RIP:rport                       gatewaying  DIP -> VIP:port, to the realserver's MAC
 *     ipip        DIP -> RIP (DIP -> VIP:port)
 */

import { endpoint, isFwmark, TCP } from '../../service/config.js';
import type { MarkRule } from '../../service/mark.js';
import { width, within } from '../address.js';
import type { DestinationFact, DeviceFact, Facts, HostFacts, ServiceFact } from '../facts.js';
import { FIRST_PORT, PORTS, THROUGH_PORTS } from '../live-capture.js';
import { addressesLike, director, linkOf, serviceWords } from '../queries.js';
import { route } from '../routing.js';

/** A row of the report. */
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
  /** This machine's address on the way to the realserver. */
  readonly dip: string;
  readonly dev: string;
  readonly mac: string;
  /** The next hop: the realserver itself, or the gateway to it. */
  readonly neighbour: string;
  /**
   * The SYN's destination. Absent if it is not known (UDP, a mark without a port): then the
   * realserver gets a ping only.
   */
  readonly target?: { readonly address: string; readonly port: number };
  /** The source port, and the id of the echo request. */
  readonly sport: number;
}

/** Each plan has a port of its own. The other ports are for SYNs through the director. */
const MOST = PORTS - THROUGH_PORTS;

export interface Plans {
  readonly plans: readonly Plan[];
  /** Destinations that are not probed, and why. */
  readonly skipped: readonly Row[];
}

export function plansFor(facts: Facts): Plans {
  const first = Math.floor(Math.random() * MOST);
  const plans: Plan[] = [];
  const skipped: Row[] = [];
  for (const service of facts.director.services)
    for (const destination of service.destinations) {
      const found = planFor(facts, service, destination, FIRST_PORT + ((first + plans.length) % MOST));
      if (!('sport' in found)) skipped.push(found);
      else if (plans.length < MOST) plans.push(found);
      else
        skipped.push({
          ...found.names,
          verdict: 'not probed',
          detail: `only
# src/doctor/probe/probe.ts the first ${MOST} destinations are`,
        });
    }
  return { plans, skipped };
}

function planFor(facts: Facts, service: ServiceFact, destination: DestinationFact, sport: number): Plan | Row {
  const { address: rip, method, port, weight } = destination;
  const names = { service: serviceWords(service), destination: endpoint(rip, port), method };
  const not = (detail: string): Row => ({ ...names, verdict: 'not probed', detail });
  if (weight === 0) return not('its weight is 0');
  const host = director(facts);
  const way = route(host, rip);
  const link = linkOf(host, way?.dev);
  if (!way || !link) return not('there is no route to it');
  if (way.type === 'local' || method === 'local') return not('it is this machine');
  if (link.inProcess)
    return not(`the director's addresses on ${link.dev} are in its process, not in this machine's kernel`);
  if (link.mac === '') return not(`${link.dev} is not an Ethernet device`);
  if (method === 'ipip' && (destination.tunnel?.type ?? 'ipip') !== 'ipip') return not('its tunnel is not IPIP');
  const exclusive =
    method !== 'masq' && facts.director.forwardShared.includes(link.dev) && interceptor(facts, link.dev);
  if (exclusive) return not(`the director intercepts its answers on ${link.dev} (${exclusive.kind}, forwardShared)`);
  const neighbour = way.via ?? rip;
  const dip = ownAddress(host, link.dev, neighbour);
  if (dip === undefined) return not(`this machine has no address on ${link.dev}`);
  const target = targetOf(facts, service, destination);
  return {
    names,
    service,
    destination,
    rip,
    dip,
    dev: link.dev,
    mac: link.mac,
    neighbour,
    ...(target && { target }),
    sport,
  };
}

/**
 * The director's device of this name, if nobody else on the machine sees what it intercepts there.
 */
export function interceptor({ director: { devices } }: Facts, dev: string): DeviceFact | undefined {
  return devices.find(({ name, exclusive }) => name === dev && exclusive);
}

/** An address in the neighbour's network, or else any address of the device. */
function ownAddress(host: HostFacts, dev: string, neighbour: string): string | undefined {
  const mine = addressesLike(host, neighbour).filter((sport) => sport.dev === dev);
  return (mine.find(({ address, length }) => within(neighbour, address, length)) ?? mine[0])?.address;
}

function targetOf(facts: Facts, service: ServiceFact, { address, port, method }: DestinationFact): Plan['target'] {
  const virtual = virtualTarget(facts, service);
  if (!virtual) return undefined;
  if (method !== 'masq' && method !== 'fullnat') return virtual;
  return { address, port: port || virtual.port };
}

/** The address and TCP port that clients connect to. */
function virtualTarget({ director: { marks } }: Facts, { key }: ServiceFact): Plan['target'] {
  if (!isFwmark(key)) return key.protocol === TCP ? { address: key.address, port: key.port } : undefined;
  const rule = marks.find((one) => one.flip === key.fwmark && one.protocol?.protocol === TCP);
  return rule && targetOfRule(rule);
}

function targetOfRule({ dst, dports }: MarkRule): Plan['target'] {
  const port = dports?.negated ? undefined : dports?.ranges[0]?.[0];
  if (!dst || dst.negated || port === undefined) return undefined;
  const isHost = dst.length === width(dst.address);
  return { address: isHost ? dst.address : dst.address.replace(/\d*$/, (last) => String(Number(last) + 1)), port };
}

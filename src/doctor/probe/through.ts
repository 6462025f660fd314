/**
 * One SYN to each TCP service by way of the director, put in by the TUN device through which it and this host's stack hand each
 * other packets; then who answered it: by his MAC, or, for NAT, his address.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { endpoint, isFwmark, TCP } from '../../service/config.js';
import { isIPv6 } from '../../wire/address.js';
import { isLinkLocal } from '../address.js';
import type { Finding, HostFacts, ServiceFact, Site } from '../facts.js';
import { etherType, reset, someSeq, syn } from '../frames.js';
import { FIRST_PORT, PORTS, ROOM } from '../listen.js';
import { director, serviceWords } from '../query.js';
import { route } from '../routing.js';
import { answers, type BoxEar, type Heard } from './heard.js';
import type { Row } from './plan.js';
import { sendBy } from './wire.js';

const WAIT_MS = 500;
const FIRST = FIRST_PORT + PORTS - ROOM;
/** To one service. */
const MOST = 8;

interface Result {
  readonly rows: Row[];
  readonly findings: Finding[];
}

interface Try {
  readonly service: ServiceFact;
  readonly from: string;
  readonly to: string;
  readonly sport: number;
  readonly dport: number;
}

/**
 * As many SYNs to a service as it has destinations: a scheduler may well show them all. Only services whose answers can
 * be heard here. `well`: those whose destinations all answer.
 */
export async function through(site: Site, { macs, ear, asked, well }: Known): Promise<Result> {
  const host = director(site);
  const [tun, ...others] = host.links.filter(({ dev, kind, up }) => up && kind === 'tun' && /^ulvs\d+$/.test(dev));
  // Of several directors nobody here knows whose device is whose.
  if (!tun || others.length > 0) return { rows: [], findings: [] };
  const tries = site.director.services
    .filter((service) => asked.includes(service))
    .flatMap((service) => triesOf(host, service))
    .slice(0, ROOM / 2);
  const first = FIRST + Math.floor(Math.random() * (ROOM / 2));
  const numbered = tries.map((one, i) => ({ ...one, sport: first + i }));
  const seq = someSeq();
  const send = (make: typeof syn, list: readonly Try[]) => {
    for (const one of list) sendBy(tun.dev, etherType(one.to), make(one, one, seq));
  };
  send(syn, numbered);
  if (numbered.length > 0) await sleep(WAIT_MS);
  const again = numbered.filter(({ sport }) => !answerTo(ear.heard, sport));
  send(syn, again);
  if (again.length > 0) await sleep(WAIT_MS);
  send(reset, numbered);
  const { heard } = ear;
  const services = [...new Set(numbered.map(({ service }) => service))];
  const told = services.map((service) =>
    ofService(
      numbered.filter((one) => one.service === service),
      heard,
      macs,
    ),
  );
  return { rows: told.map(({ row }) => row), findings: told.flatMap((one) => finding(one, well, site.socket)) };
}

interface Known {
  readonly macs: ReadonlyMap<string, string>;
  readonly ear: BoxEar;
  readonly asked: readonly ServiceFact[];
  readonly well: ReadonlySet<ServiceFact>;
}

function triesOf(host: HostFacts, service: ServiceFact): Omit<Try, 'sport'>[] {
  const { key, destinations } = service;
  const live = destinations.filter(({ weight }) => weight > 0);
  if (isFwmark(key) || key.protocol !== TCP || !live[0]) return [];
  const dev = route(host, live[0].address)?.dev;
  const mine = host.addresses.filter(({ address }) => isIPv6(address) === isIPv6(key.address) && !isLinkLocal(address));
  const from = (mine.find((one) => one.dev === dev) ?? mine.find((one) => one.dev !== 'lo'))?.address;
  if (from === undefined || from === key.address) return [];
  return Array.from({ length: Math.min(MOST, live.length) }, () => ({
    service,
    from,
    to: key.address,
    dport: key.port,
  }));
}

function answerTo(heard: readonly Heard[], sport: number): Heard | undefined {
  return heard.find((one) => answers(one, sport, /Flags \[(S\.|R)/));
}

interface Told {
  readonly service: ServiceFact;
  readonly row: Row;
  readonly mute: boolean;
}

/** Of the SYNs to one service. */
function ofService(tries: readonly Try[], heard: readonly Heard[], macs: ReadonlyMap<string, string>): Told {
  const [{ service, from, to, dport, sport }] = tries as [Try];
  const got = tries.flatMap((one) => answerTo(heard, one.sport) ?? []);
  const by = [...new Set(got.flatMap((answer) => nameOf(answer, service, macs)))].sort().join(', ');
  const refused = got.filter(({ text }) => /Flags \[R/.test(text)).length;
  const verdict =
    got.length === 0 ? 'no answer' : refused > 0 ? 'refused' : got.length < tries.length ? 'in part' : 'reachable';
  const asked = `${from} > ${endpoint(to, dport)}: ${got.length - refused} of ${tries.length} SYNs answered`;
  const more = by ? ` by ${by}` : got.length === 0 ? `, the first from port ${sport}` : '';
  const row = {
    service: serviceWords(service),
    destination: 'through the director',
    method: '',
    verdict,
    detail: asked + more,
  };
  return { service, row, mute: got.length === 0 };
}

/** By his MAC, if that is a realserver's and not a gateway's; what the director had in its hands before has none. */
function nameOf({ mac, text }: Heard, { destinations, key }: ServiceFact, macs: ReadonlyMap<string, string>): string[] {
  const rips = destinations.map(({ address }) => address);
  const neighbour = [...macs].find(([ip, one]) => one === mac && rips.includes(ip))?.[0];
  const source = /(\S+)\.\d+ > \S+: Flags/.exec(text)?.[1];
  if (neighbour ?? (source && rips.includes(source))) return [neighbour ?? source!];
  const gateway = [...macs].find(([, one]) => one === mac)?.[0];
  return gateway === undefined || isFwmark(key) ? [] : [`somebody behind ${gateway}`];
}

/** Where each destination answers by itself, it is the director that does not bring packets there. */
function finding({ service, row, mute }: Told, well: ReadonlySet<ServiceFact>, socket: string): Finding[] {
  if (!mute || !well.has(service)) return [];
  return [
    {
      id: 'syn-unanswered',
      host: 'director',
      wrong: `a connection to ${row.service} through the director is not made`,
      seen: `${row.detail}; each realserver answered one that went past the director`,
      consequence: 'clients wait in vain',
      mend: [`ulvs trace --drops --socket ${socket}   # while the doctor runs again: it says at which step`],
    },
  ];
}

/**
 * SYNs to each TCP service through the director, written to the TUN device by which the director
 * and the kernel exchange packets. The report names who answered: by MAC or, for NAT, by address.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { endpoint, isFwmark, keyText, TCP } from '../../service/config.js';
import { isIPv6 } from '../../wire/address.js';
import { isLinkLocal } from '../address.js';
import type { Facts, Finding, HostFacts, ServiceFact } from '../facts.js';
import { etherType, reset, someSeq, syn } from '../frames.js';
import { FIRST_PORT, PORTS, THROUGH_PORTS } from '../live-capture.js';
import { director, serviceWords } from '../queries.js';
import { route } from '../routing.js';
import type { Row } from './plan.js';
import { type CapturedPacket, isAnswerTo, type ProbeCapture } from './probe-capture.js';
import { sendBy } from './send-probe.js';

const WAIT_MS = 500;
const FIRST = FIRST_PORT + PORTS - THROUGH_PORTS;
/** The most SYNs for one service. */
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
 * A service gets as many SYNs as it has destinations, so that most schedulers show them all.
 * Services whose answers would not be seen here are left out. `healthy` are the services whose
 * destinations all answered. A SYN proxy answers by itself, and its answer does not come to the
 * director's own address: that such a service is silent says nothing.
 */
export async function probeThroughDirector(facts: Facts, { macs, capture, asked, healthy }: Options): Promise<Result> {
  const host = director(facts);
  const [tun, ...others] = host.links.filter(({ dev, kind, up }) => up && kind === 'tun' && /^ulvs\d+$/.test(dev));
  // With several directors it is not known which device belongs to which.
  if (!tun || others.length > 0) return { rows: [], findings: [] };
  const tries = facts.director.services
    .filter((service) => asked.includes(service))
    .flatMap((service) => triesOf(host, service))
    .slice(0, THROUGH_PORTS / 2);
  const first = FIRST + Math.floor(Math.random() * (THROUGH_PORTS / 2));
  const numbered = tries.map((one, i) => ({ ...one, sport: first + i }));
  const seq = someSeq();
  const send = (make: typeof syn, list: readonly Try[]) => {
    for (const one of list) sendBy(tun.dev, etherType(one.to), make(one, one, seq));
  };
  send(syn, numbered);
  if (numbered.length > 0) await sleep(WAIT_MS);
  const again = numbered.filter(({ sport }) => !answerTo(capture.packets, sport));
  send(syn, again);
  if (again.length > 0) await sleep(WAIT_MS);
  send(reset, numbered);
  const { packets } = capture;
  const services = [...new Set(numbered.map(({ service }) => service))];
  const proxied = new Set(facts.director.proxied.map(keyText));
  const results = services.map((service) =>
    serviceResult(
      numbered.filter((one) => one.service === service),
      packets,
      macs,
      proxied,
    ),
  );
  return {
    rows: results.map(({ row }) => row),
    findings: results.flatMap((one) => finding(one, healthy, facts.socket)),
  };
}

interface Options {
  readonly macs: ReadonlyMap<string, string>;
  readonly capture: ProbeCapture;
  readonly asked: readonly ServiceFact[];
  readonly healthy: ReadonlySet<ServiceFact>;
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

function answerTo(packets: readonly CapturedPacket[], sport: number): CapturedPacket | undefined {
  return packets.find((one) => isAnswerTo(one, sport, /Flags \[(S\.|R)/));
}

const PROXIED = { verdict: 'SYN proxy', detail: 'not known: the SYN proxy answers clients, and not the doctor' };

interface ServiceResult {
  readonly service: ServiceFact;
  readonly row: Row;
  readonly unanswered: boolean;
}

/** The row of one service, from the answers to its SYNs. */
function serviceResult(
  tries: readonly Try[],
  packets: readonly CapturedPacket[],
  macs: ReadonlyMap<string, string>,
  proxied: ReadonlySet<string>,
): ServiceResult {
  const [{ service, from, to, dport, sport }] = tries as [Try];
  const got = tries.flatMap((one) => answerTo(packets, one.sport) ?? []);
  const by = [...new Set(got.flatMap((answer) => answeredBy(answer, service, macs)))].sort().join(', ');
  const refused = got.filter(({ text }) => /Flags \[R/.test(text)).length;
  const verdict =
    got.length === 0 ? 'no answer' : refused > 0 ? 'refused' : got.length < tries.length ? 'partly' : 'reachable';
  const asked = `${from} > ${endpoint(to, dport)}: ${got.length - refused} of ${tries.length} SYNs answered`;
  const more = by ? ` by ${by}` : got.length === 0 ? `, the first from port ${sport}` : '';
  const names = { service: serviceWords(service), destination: 'through the director', method: '' };
  if (got.length === 0 && proxied.has(keyText(service.key)))
    return { service, row: { ...names, ...PROXIED }, unanswered: false };
  return { service, row: { ...names, verdict, detail: asked + more }, unanswered: got.length === 0 };
}

/**
 * Names who answered: by MAC, unless it is a gateway's. Packets that the director sent itself have
 * no MAC; they are named by their source address.
 */
function answeredBy(
  { mac, text }: CapturedPacket,
  { destinations, key }: ServiceFact,
  macs: ReadonlyMap<string, string>,
): string[] {
  const rips = destinations.map(({ address }) => address);
  const neighbour = [...macs].find(([ip, one]) => one === mac && rips.includes(ip))?.[0];
  const source = /(\S+)\.\d+ > \S+: Flags/.exec(text)?.[1];
  if (neighbour ?? (source && rips.includes(source))) return [neighbour ?? source!];
  const gateway = [...macs].find(([, one]) => one === mac)?.[0];
  return gateway === undefined || isFwmark(key) ? [] : [`a host behind ${gateway}`];
}

/** If every destination answers by itself, the fault is between the director and them. */
function finding(
  { service, row, unanswered }: ServiceResult,
  healthy: ReadonlySet<ServiceFact>,
  socket: string,
): Finding[] {
  if (!unanswered || !healthy.has(service)) return [];
  return [
    {
      id: 'syn-unanswered',
      host: 'director',
      wrong: `a connection to ${row.service} through the director is not established`,
      seen: `${row.detail}; each realserver answered a SYN that did not pass the director`,
      consequence: 'clients get no answer',
      fix: [`ulvs trace --drops --socket ${socket}   # run the doctor again meanwhile: the trace names the step`],
    },
  ];
}

/**
 * SYNs of our own from a lab's client to each TCP service, one for each destination, told from all others by their source
 * ports, and the hops that saw them go by and the answers come back. They say where a connection ends when no check knows why.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { endpoint, isFwmark, TCP } from '../service/config.js';
import { inNamespace } from '../sys/command.js';
import type { Finding, HostFacts, ServiceFact, Site } from './facts.js';
import { examine } from './index.js';
import { type Hearing, type Hop, hear } from './listen.js';
import { unfinished } from './partial-checksum.js';
import { freePorts } from './ports.js';
import { clients, unique, vipsOf } from './query.js';

/** The kernel repeats a SYN after 1 and 3 s, to the same destination: on a busy machine the first may be late. */
const PATIENCE_S = 4;
/** Of one service: a scheduler would not show more of its destinations in as many turns. */
const MOST = 8;

/** Looks first; where that finds nothing, tries. */
export async function consult(site: Site): Promise<Finding[]> {
  const findings = examine(site);
  return findings.length > 0 ? findings : sendSyns(site);
}

interface Try {
  readonly client: HostFacts;
  readonly vip: string;
  readonly port: number;
  readonly own: number;
}

/** A finding for each service that does not answer; none on a box, where there is no client. */
export async function sendSyns(site: Site): Promise<Finding[]> {
  const tries = site.director.services.flatMap((service) => triesOf(site, service));
  const [first] = tries;
  if (!first) return [];
  const base = await freePorts(
    tries.map(({ client }) => client),
    tries.length,
  );
  const numbered = tries.map((one, i) => ({ ...one, own: base + i }));
  const hosts = site.hosts.filter(({ role, namespace }) => role !== 'switch' && namespace !== '');
  const hearings = await Promise.all(hosts.map(hear));
  const before = await checksumErrors(first.client);
  const answered = await connect(first.client, numbered);
  await sleep(200);
  const broken = (await checksumErrors(first.client)) > before;
  const silent = numbered.filter(({ own }) => !answered.has(own));
  return judged(site, silent, hearings, broken);
}

function triesOf(site: Site, service: ServiceFact): Omit<Try, 'own'>[] {
  const { key, destinations } = service;
  if (isFwmark(key) || key.protocol !== TCP) return [];
  const count = Math.min(MOST, destinations.filter(({ weight }) => weight > 0).length);
  return asked(site, service).flatMap((vip) =>
    clients(site, vip)
      .slice(0, 1)
      .flatMap(({ host: client }) => Array.from({ length: count }, () => ({ client, vip, port: key.port }))),
  );
}

/** A lab may have services that are for others than its client. */
function asked(site: Site, service: ServiceFact): string[] {
  const { lab } = site;
  return vipsOf(site, service).filter((vip) => !lab || lab.vips.includes(vip));
}

function judged(site: Site, silent: readonly Try[], hearings: readonly Hearing[], broken: boolean): Finding[] {
  const heard = hearings.map((hearing) => hearing());
  return unique(
    silent.map((one) => {
      const hops = heard.map((of) => of(one.own));
      return (broken && unfinished(site, one, hops)) || unanswered(one, hops);
    }),
  );
}

/** Segments it has thrown away for their checksum. */
async function checksumErrors({ namespace }: HostFacts): Promise<number> {
  const { stdout } = await inNamespace(namespace, 'cat', '/proc/net/snmp');
  const [names, values] = stdout.split('\n').filter((line) => line.startsWith('Tcp:'));
  return Number(values?.split(' ')[names?.split(' ').indexOf('InCsumErrors') ?? -1] ?? 0);
}

/** The source ports of those that were connected at all, whatever was said then. */
async function connect({ namespace }: HostFacts, tries: readonly Try[]): Promise<Set<number>> {
  const one = ({ vip, port, own }: Try) =>
    `curl -g -s -o /dev/null -m ${PATIENCE_S} --local-port ${own} -w '${own} %{time_connect}\\n' http://${endpoint(vip, port)}/ &`;
  const { stdout } = await inNamespace(namespace, 'sh', '-c', `${tries.map(one).join('\n')}\nwait; true`);
  const lines = stdout.split('\n').map((line) => line.split(' ').map(Number));
  return new Set(lines.filter(([, time = 0]) => time > 0).map(([own = 0]) => own));
}

function unanswered({ client, vip, port, own }: Try, hops: readonly Hop[]): Finding {
  const by = (seen: (hop: Hop) => boolean) =>
    hops
      .filter(seen)
      .map(({ host }) => host)
      .join(', ') || 'nobody';
  return {
    id: 'syn-unanswered',
    host: client.name,
    wrong: `a connection to ${endpoint(vip, port)} is not made`,
    seen: `a SYN from ${client.name}, port ${own}, was seen by ${by(({ syn }) => syn)}; its answer by ${by(({ answer }) => answer)}`,
    consequence: 'clients that meet the same realserver cannot connect',
    mend: [],
  };
}

/**
 * SYNs from a lab's client to each TCP service, one for each destination, while every host
 * captures. A finding then names the hosts that saw the SYN and the answer. Used when no check
 * finds anything.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { endpoint, isFwmark, TCP } from '../service/config.js';
import { inNamespace } from '../sys/command.js';
import { examine } from './examine.js';
import type { Facts, Finding, HostFacts, ServiceFact } from './facts.js';
import { captureOn, type EndCapture, type Observation } from './live-capture.js';
import { partialChecksumFinding } from './partial-checksum.js';
import { freePorts } from './ports.js';
import { clients, uniqueFindings, vipsOf } from './queries.js';

/**
 * The kernel repeats a SYN after 1 s and 3 s, to the same destination. On a busy machine the first
 * one may be late.
 */
const PATIENCE_S = 4;
/** SYNs for one service. Further ones would hardly reach further destinations. */
const MOST = 8;

/** Runs the checks; if they find nothing, sends SYNs. */
export async function diagnose(facts: Facts): Promise<Finding[]> {
  const findings = examine(facts);
  return findings.length > 0 ? findings : sendSyns(facts);
}

interface Attempt {
  readonly client: HostFacts;
  readonly vip: string;
  readonly port: number;
  readonly sport: number;
}

/**
 * Returns a finding for each service that does not answer. Without a lab there is no client, and
 * nothing is sent.
 */
export async function sendSyns(facts: Facts): Promise<Finding[]> {
  const attempts = facts.director.services.flatMap((service) => attemptsOf(facts, service));
  const [first] = attempts;
  if (!first) return [];
  const base = await freePorts(
    attempts.map(({ client }) => client),
    attempts.length,
  );
  const numbered = attempts.map((one, i) => ({ ...one, sport: base + i }));
  const hosts = facts.hosts.filter(({ role, namespace }) => role !== 'switch' && namespace !== '');
  const captures = await Promise.all(hosts.map(captureOn));
  const before = await checksumErrors(first.client);
  const answered = await connect(first.client, numbered);
  await sleep(200);
  const checksumErrorsRose = (await checksumErrors(first.client)) > before;
  const silent = numbered.filter(({ sport }) => !answered.has(sport));
  return findingsFor(facts, silent, captures, checksumErrorsRose);
}

function attemptsOf(facts: Facts, service: ServiceFact): Omit<Attempt, 'sport'>[] {
  const { key, destinations } = service;
  if (isFwmark(key) || key.protocol !== TCP) return [];
  const count = Math.min(MOST, destinations.filter(({ weight }) => weight > 0).length);
  return vipsToTry(facts, service).flatMap((vip) =>
    clients(facts, vip)
      .slice(0, 1)
      .flatMap(({ host: client }) => Array.from({ length: count }, () => ({ client, vip, port: key.port }))),
  );
}

/** The VIPs that the lab's client uses. Other services of the lab are for other hosts. */
function vipsToTry(facts: Facts, service: ServiceFact): string[] {
  const { lab } = facts;
  return vipsOf(facts, service).filter((vip) => !lab || lab.vips.includes(vip));
}

function findingsFor(
  facts: Facts,
  silent: readonly Attempt[],
  captures: readonly EndCapture[],
  checksumErrorsRose: boolean,
): Finding[] {
  const captured = captures.map((end) => end());
  return uniqueFindings(
    silent.map((one) => {
      const observations = captured.map((observedBy) => observedBy(one.sport));
      return (checksumErrorsRose && partialChecksumFinding(facts, one, observations)) || unanswered(one, observations);
    }),
  );
}

/** TcpInCsumErrors of the client: segments dropped because of their checksum. */
async function checksumErrors({ namespace }: HostFacts): Promise<number> {
  const { stdout } = await inNamespace(namespace, 'cat', '/proc/net/snmp');
  const [names, values] = stdout.split('\n').filter((line) => line.startsWith('Tcp:'));
  return Number(values?.split(' ')[names?.split(' ').indexOf('InCsumErrors') ?? -1] ?? 0);
}

/** Sends the SYNs and returns the source ports of those that got connected. */
async function connect({ namespace }: HostFacts, attempts: readonly Attempt[]): Promise<Set<number>> {
  const one = ({ vip, port, sport }: Attempt) =>
    `curl -g -s -o /dev/null -m ${PATIENCE_S} --local-port ${sport} -w '${sport} %{time_connect}\\n' http://${endpoint(vip, port)}/ &`;
  const { stdout } = await inNamespace(namespace, 'sh', '-c', `${attempts.map(one).join('\n')}\nwait; true`);
  const lines = stdout.split('\n').map((line) => line.split(' ').map(Number));
  return new Set(lines.filter(([, time = 0]) => time > 0).map(([sport = 0]) => sport));
}

function unanswered({ client, vip, port, sport }: Attempt, observations: readonly Observation[]): Finding {
  const hostsThat = (seen: (observation: Observation) => boolean) =>
    observations
      .filter(seen)
      .map(({ host }) => host)
      .join(', ') || 'nobody';
  return {
    id: 'syn-unanswered',
    host: client.name,
    wrong: `a connection to ${endpoint(vip, port)} is not established`,
    seen: `a SYN from ${client.name}, port ${sport}, was seen by ${hostsThat(({ syn }) => syn)}; its answer was seen by ${hostsThat(({ answer }) => answer)}`,
    consequence: 'clients that are sent to the same realserver cannot connect',
    fix: [],
  };
}

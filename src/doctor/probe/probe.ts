/**
 * Probes the realservers from the director's machine. Each gets one SYN (a second one if the first
 * is not answered), and an RST if it accepts. Then each TCP service gets SYNs through the director,
 * and each NAT realserver a SYN from the VIP, whose answer must come back here.
 *
 *     ARP, ND ─► SYN to each ─ 0.4 s ─► again to the silent, and a ping ─ 0.8 s ─► verdicts ─► RST to who answered
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Facts, Finding, HostFacts, ServiceFact } from '../facts.js';
import { someSeq } from '../frames.js';
import { director } from '../queries.js';
import { whoHas } from '../who-has.js';
import { type Plan, plansFor, type Row } from './plan.js';
import { type CapturedPacket, isAnswerTo, ProbeCapture } from './probe-capture.js';
import { probeReturnPath } from './return-path.js';
import { sendProbe } from './send-probe.js';
import { probeThroughDirector } from './through-director.js';
import { findingOf, type ProbeResult, resultOf, rowOf } from './verdict.js';

export interface Probed {
  readonly rows: readonly Row[];
  readonly findings: readonly Finding[];
  /** Questions that could not be asked of some realservers, one line each. */
  readonly notes: readonly string[];
  /** Why nothing was sent; '' if something was. */
  readonly reason: string;
}

const RETRY_AFTER_MS = 400;
const VERDICT_AFTER_MS = 800;
/** ARP requests at the same time, and requests to a neighbour that does not answer. */
const ARP_CONCURRENCY = 32;
const ARP_TRIES = 3;

export async function probeRealservers(facts: Facts): Promise<Probed> {
  const { plans, skipped } = plansFor(facts);
  const capture = plans.length > 0 ? await ProbeCapture.open() : undefined;
  if (plans.length > 0 && !capture)
    return { rows: skipped, findings: [], notes: [], reason: 'tcpdump is not installed or may not capture' };
  try {
    const macs = await resolveNeighbours(director(facts), plans);
    const results = capture ? await sendAll(plans, macs, capture) : [];
    const returnPath = capture ? await probeReturnPath(facts, results, macs, capture) : { findings: [], notes: [] };
    const forwarded = capture
      ? await probeThroughDirector(facts, {
          macs,
          capture,
          asked: results.map(({ plan }) => plan.service),
          healthy: healthyServices(results),
        })
      : { rows: [], findings: [] };
    return {
      rows: [...results.map(rowOf), ...skipped, ...forwarded.rows].sort((a, b) => sortKey(a).localeCompare(sortKey(b))),
      findings: [...results.flatMap((one) => findingOf(facts, one)), ...returnPath.findings, ...forwarded.findings],
      notes: returnPath.notes,
      reason: '',
    };
  } finally {
    capture?.close();
  }
}

/** Sorts the destinations of each service before the row "through the director". */
function sortKey({ service, destination }: Row): string {
  return `${service} ${destination}`;
}

/** The services whose destinations all answered. */
function healthyServices(results: readonly ProbeResult[]): Set<ServiceFact> {
  const sick = new Set(results.filter(({ verdict }) => verdict !== 'reachable').map(({ plan }) => plan.service));
  return new Set(results.map(({ plan }) => plan.service).filter((service) => !sick.has(service)));
}

/** The MAC of each neighbour that answered; the first, if several answered. */
async function resolveNeighbours(host: HostFacts, plans: readonly Plan[]): Promise<ReadonlyMap<string, string>> {
  const macs = new Map<string, string>();
  const asked = [...new Map(plans.map((plan) => [plan.neighbour, plan])).values()];
  for (let n = 0; n < ARP_TRIES; n++) {
    const silent = asked.filter(({ neighbour }) => !macs.has(neighbour));
    for (let i = 0; i < silent.length; i += ARP_CONCURRENCY)
      for (const { vip, macs: answers } of await Promise.all(
        silent.slice(i, i + ARP_CONCURRENCY).map(({ dev, mac, neighbour }) => whoHas(host, dev, mac, neighbour)),
      ))
        if (answers[0] !== undefined) macs.set(vip, answers[0]);
  }
  return macs;
}

async function sendAll(
  plans: readonly Plan[],
  macs: ReadonlyMap<string, string>,
  capture: ProbeCapture,
): Promise<ProbeResult[]> {
  const seq = someSeq();
  const there = plans.filter(({ neighbour }) => macs.has(neighbour));
  const send = (kind: 'syn' | 'reset' | 'echo', plan: Plan) => sendProbe(plan, macs.get(plan.neighbour)!, kind, seq);
  for (const plan of there) send(plan.target ? 'syn' : 'echo', plan);
  await sleep(RETRY_AFTER_MS);
  for (const plan of unanswered(there, capture.packets)) {
    if (plan.target) send('syn', plan);
    send('echo', plan);
  }
  await sleep(VERDICT_AFTER_MS);
  const { packets } = capture;
  for (const plan of there) if (hasSynAck(plan, packets)) send('reset', plan);
  return plans.map((plan) => resultOf(plan, macs.get(plan.neighbour), packets));
}

function unanswered(plans: readonly Plan[], packets: readonly CapturedPacket[]): Plan[] {
  return plans.filter(({ sport }) => !packets.some((one) => isAnswerTo(one, sport, /Flags/)));
}

function hasSynAck({ sport }: Plan, packets: readonly CapturedPacket[]): boolean {
  return packets.some((one) => isAnswerTo(one, sport, /Flags \[S\./));
}

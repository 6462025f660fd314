/**
 * The box asks its realservers itself: one SYN (a second one where the first is not answered) to each, and the RST that takes
 * it back. Then one SYN to each TCP service through the director, and, for NAT, one in the VIP's name, whose answer must come back here.
 *
 *     ARP, ND ─► SYN to each ─ 0.4 s ─► again to the silent, and a ping ─ 0.8 s ─► verdicts ─► RST to who answered
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding, HostFacts, ServiceFact, Site } from '../facts.js';
import { someSeq } from '../frames.js';
import { director } from '../query.js';
import { ask } from '../who-has.js';
import { answers, BoxEar, type Heard } from './heard.js';
import { type Plan, plansFor, type Row } from './plan.js';
import { returns } from './returns.js';
import { through } from './through.js';
import { findingOf, type Outcome, outcome, rowOf } from './verdict.js';
import { tell } from './wire.js';

export interface Probed {
  readonly rows: readonly Row[];
  readonly findings: readonly Finding[];
  /** What could not be asked of all, a line each. */
  readonly notes: readonly string[];
  /** Why nothing was asked; '' when it was. */
  readonly reason: string;
}

const SECOND_MS = 400;
const LAST_MS = 800;
/** ARP questions under way at once, and how often a silent neighbour is asked. */
const ABREAST = 32;
const ASKED = 3;

export async function probeBox(site: Site): Promise<Probed> {
  const { plans, left } = plansFor(site);
  const ear = plans.length > 0 ? await BoxEar.open() : undefined;
  if (plans.length > 0 && !ear)
    return { rows: left, findings: [], notes: [], reason: 'tcpdump is not installed, or may not listen' };
  try {
    const macs = await neighbours(director(site), plans);
    const outcomes = ear ? await sendAll(plans, macs, ear) : [];
    const astray = ear ? await returns(site, outcomes, macs, ear) : { findings: [], notes: [] };
    const way = ear
      ? await through(site, { macs, ear, asked: outcomes.map(({ plan }) => plan.service), well: wellOf(outcomes) })
      : { rows: [], findings: [] };
    return {
      rows: [...outcomes.map(rowOf), ...left, ...way.rows].sort((a, b) => order(a).localeCompare(order(b))),
      findings: [...outcomes.flatMap((one) => findingOf(site, one)), ...astray.findings, ...way.findings],
      notes: astray.notes,
      reason: '',
    };
  } finally {
    ear?.close();
  }
}

/** Each service's destinations, then the way through the director. */
function order({ service, destination }: Row): string {
  return `${service} ${destination}`;
}

/** Services whose destinations all answer. */
function wellOf(outcomes: readonly Outcome[]): Set<ServiceFact> {
  const sick = new Set(outcomes.filter(({ verdict }) => verdict !== 'reachable').map(({ plan }) => plan.service));
  return new Set(outcomes.map(({ plan }) => plan.service).filter((service) => !sick.has(service)));
}

/** The MAC of each neighbour that says to be one; of several that say so, the first. */
async function neighbours(host: HostFacts, plans: readonly Plan[]): Promise<ReadonlyMap<string, string>> {
  const macs = new Map<string, string>();
  const asked = [...new Map(plans.map((plan) => [plan.neighbour, plan])).values()];
  for (let n = 0; n < ASKED; n++) {
    const silent = asked.filter(({ neighbour }) => !macs.has(neighbour));
    for (let i = 0; i < silent.length; i += ABREAST)
      for (const { vip, macs: said } of await Promise.all(
        silent.slice(i, i + ABREAST).map(({ dev, mac, neighbour }) => ask(host, dev, mac, neighbour)),
      ))
        if (said[0] !== undefined) macs.set(vip, said[0]);
  }
  return macs;
}

async function sendAll(plans: readonly Plan[], macs: ReadonlyMap<string, string>, ear: BoxEar): Promise<Outcome[]> {
  const seq = someSeq();
  const there = plans.filter(({ neighbour }) => macs.has(neighbour));
  const send = (kind: 'syn' | 'reset' | 'echo', plan: Plan) => tell(plan, macs.get(plan.neighbour)!, kind, seq);
  for (const plan of there) send(plan.aim ? 'syn' : 'echo', plan);
  await sleep(SECOND_MS);
  for (const plan of silentOf(there, ear.heard)) {
    if (plan.aim) send('syn', plan);
    send('echo', plan);
  }
  await sleep(LAST_MS);
  const { heard } = ear;
  for (const plan of there) if (answeredYes(plan, heard)) send('reset', plan);
  return plans.map((plan) => outcome(plan, macs.get(plan.neighbour), heard));
}

function silentOf(plans: readonly Plan[], heard: readonly Heard[]): Plan[] {
  return plans.filter(({ own }) => !heard.some((one) => answers(one, own, /Flags/)));
}

function answeredYes({ own }: Plan, heard: readonly Heard[]): boolean {
  return heard.some((one) => answers(one, own, /Flags \[S\./));
}

/**
 * LVS-NAT, HOWTO 5.9 Q1: whether replies come back through the director. Each healthy masq
 * realserver gets a SYN from the VIP. Its answer must arrive at this machine, because the VIP is
 * the director's. Otherwise the realserver uses another gateway.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFwmark } from '../../service/config.js';
import type { Facts, Finding } from '../facts.js';
import { someSeq } from '../frames.js';
import { director } from '../queries.js';
import { interceptor, type Plan } from './plan.js';
import { isAnswerTo, type ProbeCapture } from './probe-capture.js';
import { sendProbe } from './send-probe.js';
import type { ProbeResult } from './verdict.js';

const WAIT_MS = 600;

export interface ReturnPath {
  readonly findings: readonly Finding[];
  /** Questions that could not be asked, one line each. */
  readonly notes: readonly string[];
}

/**
 * Probes each realserver once. A realserver behind a gateway of its own is left out: all its
 * answers go where the VIP is routed.
 */
export async function probeReturnPath(
  facts: Facts,
  results: readonly ProbeResult[],
  macs: ReadonlyMap<string, string>,
  capture: ProbeCapture,
): Promise<ReturnPath> {
  const { plans, notes } = plansToAsk(
    facts,
    results.filter(({ verdict }) => verdict === 'reachable').map(({ plan }) => plan),
  );
  const seq = someSeq();
  const from = capture.packets.length;
  for (const plan of plans) sendProbe(plan, macs.get(plan.neighbour)!, 'syn', seq, vipOf(plan));
  if (plans.length > 0) await sleep(WAIT_MS);
  for (const plan of plans) sendProbe(plan, macs.get(plan.neighbour)!, 'reset', seq, vipOf(plan));
  const packets = capture.packets.slice(from);
  const lost = plans.filter(({ sport }) => !packets.some((one) => isAnswerTo(one, sport, /Flags/)));
  return { findings: lost.map(returnFinding), notes };
}

/**
 * One plan for each healthy realserver, and a note if the answers of some would not be seen here.
 */
export function plansToAsk(
  facts: Facts,
  healthy: readonly Plan[],
): { plans: readonly Plan[]; notes: readonly string[] } {
  const masqPlans = healthy.filter(
    ({ destination, neighbour, rip, service }) =>
      destination.method === 'masq' && neighbour === rip && !isFwmark(service.key),
  );
  const plans = new Map(masqPlans.filter((plan) => seesAnswer(facts, plan)).map((plan) => [plan.rip, plan]));
  const devs = [...new Set(masqPlans.filter(({ rip }) => !plans.has(rip)).map(({ dev }) => dev))];
  const kinds = [...new Set(devs.map((dev) => interceptor(facts, dev)?.kind))].join(' and ');
  const why = `${devs.join(' and ')} ${devs.length > 1 ? 'are' : 'is'} ${kinds}, so their answers are not seen here`;
  const note = `not probed: whether replies of NAT realservers pass this machine (${why})`;
  return { plans: [...plans.values()], notes: devs.length > 0 ? [note] : [] };
}

/**
 * Whether this machine would see the answer. On an exclusive device the director intercepts it. For
 * an address that the machine has, the director returns packets of no connection to the kernel by
 * its TUN device.
 */
function seesAnswer(facts: Facts, plan: Plan): boolean {
  const { refusesStrays } = facts.director;
  if (interceptor(facts, plan.dev) === undefined) return true;
  const host = director(facts);
  const back = host.links.some(({ dev, kind, up }) => up && kind === 'tun' && /^ulvs\d+$/.test(dev));
  return back && !refusesStrays && host.addresses.some(({ address }) => address === vipOf(plan));
}

function vipOf({ service: { key } }: Plan): string {
  return isFwmark(key) ? '' : key.address;
}

function returnFinding(plan: Plan): Finding {
  const { rip, dip, service } = plan;
  return {
    id: 'gateway-not-director',
    host: rip,
    wrong: `${rip}'s replies to clients do not pass the director`,
    seen: `${rip} answered a SYN from ${dip}, but no answer to a SYN from the VIP ${vipOf(plan)} (${service.scheduler}) arrived here`,
    consequence: 'clients get its replies from the RIP instead of the VIP, or none: the connection hangs',
    fix: [`ip route replace default via ${dip}   # on ${rip}`],
  };
}

/**
 * LVS-NAT, HOWTO 5.9 Q1, as far as the director can see it: a SYN in the VIP's name to each masq realserver that is well. Its
 * answer must come to this box, for the VIP is the director's; if it does not, the realserver sends it by another gateway.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFwmark } from '../../../service/config.js';
import { someSeq } from '../frames.js';
import type { Finding, Site } from '../site.js';
import { answers, type BoxEar } from './ear.js';
import type { Plan } from './plan.js';
import type { Outcome } from './verdict.js';
import { tell } from './wire.js';

const WAIT_MS = 600;

/** Of each realserver once. Behind a gateway of its own it is not asked: there every answer goes where the VIP is routed. */
export async function returns(
  site: Site,
  outcomes: readonly Outcome[],
  macs: ReadonlyMap<string, string>,
  ear: BoxEar,
): Promise<Finding[]> {
  const well = outcomes.filter(({ verdict, plan }) => verdict === 'reachable' && isOurs(site, plan));
  const plans = [...new Map(well.map(({ plan }) => [plan.rip, plan])).values()];
  const seq = someSeq();
  const from = ear.heard.length;
  for (const plan of plans) tell(plan, macs.get(plan.neighbour)!, 'syn', seq, vipOf(plan));
  if (plans.length > 0) await sleep(WAIT_MS);
  for (const plan of plans) tell(plan, macs.get(plan.neighbour)!, 'reset', seq, vipOf(plan));
  const heard = ear.heard.slice(from);
  const lost = plans.filter(({ own }) => !heard.some((one) => answers(one, own, /Flags/)));
  return lost.map(astray);
}

/** What an XDP director takes for itself, nobody else on the box sees. */
function isOurs({ director: { devices } }: Site, { destination, neighbour, rip, service, dev }: Plan): boolean {
  const unseen = devices.some(({ name, kind }) => name === dev && kind === 'xdp');
  return destination.method === 'masq' && neighbour === rip && !isFwmark(service.key) && !unseen;
}

function vipOf({ service: { key } }: Plan): string {
  return isFwmark(key) ? '' : key.address;
}

function astray(plan: Plan): Finding {
  const { rip, dip, service } = plan;
  return {
    id: 'gateway-not-director',
    host: rip,
    wrong: `${rip}'s answers to clients do not come back by the director`,
    seen: `it answered a SYN from ${dip}, but of one from the VIP ${vipOf(plan)} (${service.scheduler}) no answer came here`,
    consequence: 'clients get its replies from an address they never asked, or none: the connection hangs',
    mend: [`ip route replace default via ${dip}   # on ${rip}`],
  };
}

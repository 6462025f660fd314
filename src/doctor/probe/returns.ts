/**
 * LVS-NAT, HOWTO 5.9 Q1, as far as the director can see it: a SYN in the VIP's name to each masq realserver that is well. Its
 * answer must come to this box, for the VIP is the director's; if it does not, the realserver sends it by another gateway.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFwmark } from '../../service/config.js';
import type { DeviceFact, Finding, Site } from '../facts.js';
import { someSeq } from '../frames.js';
import { director } from '../query.js';
import { answers, type BoxEar } from './heard.js';
import type { Plan } from './plan.js';
import type { Outcome } from './verdict.js';
import { tell } from './wire.js';

const WAIT_MS = 600;

export interface Returns {
  readonly findings: readonly Finding[];
  /** What could not be asked, a line each. */
  readonly notes: readonly string[];
}

/** Of each realserver once. Behind a gateway of its own it is not asked: there every answer goes where the VIP is routed. */
export async function returns(
  site: Site,
  outcomes: readonly Outcome[],
  macs: ReadonlyMap<string, string>,
  ear: BoxEar,
): Promise<Returns> {
  const { plans, notes } = toAsk(
    site,
    outcomes.filter(({ verdict }) => verdict === 'reachable').map(({ plan }) => plan),
  );
  const seq = someSeq();
  const from = ear.heard.length;
  for (const plan of plans) tell(plan, macs.get(plan.neighbour)!, 'syn', seq, vipOf(plan));
  if (plans.length > 0) await sleep(WAIT_MS);
  for (const plan of plans) tell(plan, macs.get(plan.neighbour)!, 'reset', seq, vipOf(plan));
  const heard = ear.heard.slice(from);
  const lost = plans.filter(({ own }) => !heard.some((one) => answers(one, own, /Flags/)));
  return { findings: lost.map(astray), notes };
}

/** One plan a realserver, of those that are well; and a note of those whose answer nobody here would see. */
export function toAsk(site: Site, well: readonly Plan[]): { plans: readonly Plan[]; notes: readonly string[] } {
  const ours = well.filter(
    ({ destination, neighbour, rip, service }) =>
      destination.method === 'masq' && neighbour === rip && !isFwmark(service.key),
  );
  const plans = new Map(ours.filter((plan) => isSeen(site, plan)).map((plan) => [plan.rip, plan]));
  const devs = [...new Set(ours.filter(({ rip }) => !plans.has(rip)).map(({ dev }) => dev))];
  const kinds = new Set(devs.map((dev) => interceptorOn(site, dev)?.kind));
  const are = `${devs.length > 1 ? 'are' : 'is'} ${[...kinds].join(' and ')}`;
  const why = `their answers would not be seen here: ${devs.join(' and ')} ${are}`;
  const note = `not asked: whether NAT realservers answer through this host (${why})`;
  return { plans: [...plans.values()], notes: devs.length > 0 ? [note] : [] };
}

/**
 * What a director takes for itself on an exclusive device, nobody else on the box sees; but of an address that the host has it gives back, by its
 * TUN device, what belongs to no connection.
 */
function isSeen(site: Site, plan: Plan): boolean {
  const { refusesStrays } = site.director;
  if (interceptorOn(site, plan.dev) === undefined) return true;
  const host = director(site);
  const back = host.links.some(({ dev, kind, up }) => up && kind === 'tun' && /^ulvs\d+$/.test(dev));
  return back && !refusesStrays && host.addresses.some(({ address }) => address === vipOf(plan));
}

function interceptorOn({ director: { devices } }: Site, dev: string): DeviceFact | undefined {
  return devices.find(({ name, exclusive }) => name === dev && exclusive);
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

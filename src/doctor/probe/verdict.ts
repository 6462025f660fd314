/** What became of one probe, in a word, and what to do about it. */

import { endpoint } from '../../service/config.js';
import { isIPv6 } from '../../wire/address.js';
import { width } from '../address.js';
import type { Finding, Site } from '../facts.js';
import { edit } from '../query.js';
import { answers, type Heard } from './heard.js';
import type { Plan, Row } from './plan.js';

export type Verdict =
  | 'reachable'
  | 'answers ping'
  | 'refused'
  | 'filtered'
  | 'no ARP answer'
  | 'no neighbour answer'
  | 'no tunnel endpoint'
  | 'silent';

export interface Outcome {
  readonly plan: Plan;
  readonly verdict: Verdict;
  readonly detail: string;
}

/** `mac`: the neighbour's; undefined when it did not answer. */
export function outcome(plan: Plan, mac: string | undefined, heard: readonly Heard[]): Outcome {
  const named = (verdict: Verdict, detail: string): Outcome => ({ plan, verdict, detail });
  const { own, rip, neighbour, dev } = plan;
  if (mac === undefined)
    return named(
      isIPv6(neighbour) ? 'no neighbour answer' : 'no ARP answer',
      `nobody on ${dev} says to have ${neighbour}`,
    );
  const pinged = heard.some(({ text, inwards }) => inwards && text.includes(`echo reply, id ${own},`));
  const host = pinged ? `${rip} answers ping` : `${rip} does not answer ping either`;
  if (!plan.aim) return pinged ? named('answers ping', mac) : named('silent', `${neighbour} is at ${mac}, but ${host}`);
  const yes = heard.find((one) => answers(one, own, /Flags \[S\./));
  if (yes) return named('reachable', `SYN-ACK ${took(heard, own, yes)}`);
  const no = heard.find((one) => answers(one, own, /Flags \[R/));
  if (no) return named('refused', `RST ${took(heard, own, no)}`);
  return complained(named, plan, heard) ?? named('filtered', `no answer; ${host}`);
}

function took(heard: readonly Heard[], own: number, { at }: Heard): string {
  const sent = heard.find(({ text, inwards }) => !inwards && text.includes(`.${own} > `));
  return sent && at >= sent.at ? `after ${((at - sent.at) * 1000).toFixed(1)} ms` : 'came';
}

/** An ICMP error that quotes the probe. */
function complained(
  named: (verdict: Verdict, detail: string) => Outcome,
  { own }: Plan,
  heard: readonly Heard[],
): Outcome | undefined {
  const error = heard.find(
    ({ text, inwards }) => inwards && /unreachable|prohibited/.test(text) && text.includes(`.${own} > `),
  );
  if (!error) return undefined;
  const [, from, words = ''] = /\) (\S+) > \S+: ICMP6?,? ([^(]*?),? length/.exec(error.text) ?? [];
  const detail = `ICMP from ${from ?? 'somebody'}: ${words}`;
  if (/protocol \d+ unreachable/.test(words)) return named('no tunnel endpoint', detail);
  return named(/port/.test(words) ? 'refused' : 'filtered', detail);
}

export function rowOf({ plan: { names }, verdict, detail }: Outcome): Row {
  return { ...names, verdict, detail };
}

const FINE: readonly Verdict[] = ['reachable', 'answers ping'];

/** None for what is well. */
export function findingOf(site: Site, { plan, verdict, detail }: Outcome): Finding[] {
  if (FINE.includes(verdict)) return [];
  const { names, rip, service, destination, aim } = plan;
  const what = aim ? endpoint(aim.address, aim.port) : rip;
  return [
    {
      id: `probe-${verdict.toLowerCase().replaceAll(' ', '-')}`,
      host: rip,
      wrong: `realserver ${names.destination} of ${names.service}: ${verdict}`,
      seen: `a SYN of this host to ${what}${aim && aim.address !== rip ? ` by ${rip}` : ''}: ${detail}`,
      consequence: CONSEQUENCES[verdict] ?? '',
      mend: [
        ...remedy(plan, verdict, detail.startsWith('ICMP')),
        `${edit(site, service, { ...destination, weight: 0 })}   # meanwhile`,
      ],
    },
  ];
}

const LOST = 'its share of the clients waits in vain';
const CONSEQUENCES: Partial<Record<Verdict, string>> = {
  refused: 'its share of the clients gets "connection refused"',
  filtered: LOST,
  silent: LOST,
  'no ARP answer': `${LOST}, or is told "host unreachable"`,
  'no neighbour answer': `${LOST}, or is told "address unreachable"`,
  'no tunnel endpoint': LOST,
};

/** On the realserver, where this host cannot go: as a command with the place behind it. */
function remedy({ rip, neighbour, dev, aim, destination }: Plan, verdict: Verdict, said: boolean): string[] {
  const there = (words: string, why: string) => `${words}   # on ${rip}: ${why}`;
  // A host that has no such address says nothing.
  const virtual = aim && !said && aim.address !== rip ? aim.address : undefined;
  switch (verdict) {
    case 'refused':
      return [there('systemctl restart SERVICE', `once it listens on ${endpoint(aim!.address, aim!.port)}`)];
    case 'no tunnel endpoint':
      return [there('modprobe ipip && ip link set tunl0 up', 'nothing takes the tunnel apart')];
    case 'no ARP answer':
    case 'no neighbour answer':
      return [`ip neigh show ${neighbour}   # is it on, and on the wire of ${dev}?`];
    case 'filtered': {
      const address =
        virtual && `ip address add ${virtual}/${width(virtual)} dev ${destination.method === 'ipip' ? 'tunl0' : 'lo'}`;
      return [
        ...(address ? [there(address, 'when it is missing')] : []),
        there('nft list ruleset', 'does a rule drop it?'),
      ];
    }
    default:
      return [there('nft list ruleset', 'does a rule drop it?')];
  }
}

/** The verdict on one probe, and the finding that follows from it. */

import { endpoint } from '../../service/config.js';
import { isIPv6 } from '../../wire/address.js';
import { width } from '../address.js';
import type { Facts, Finding } from '../facts.js';
import { editCommand } from '../queries.js';
import type { Plan, Row } from './plan.js';
import { type CapturedPacket, isAnswerTo } from './probe-capture.js';

export type Verdict =
  | 'reachable'
  | 'answers ping'
  | 'refused'
  | 'filtered'
  | 'no ARP answer'
  | 'no neighbour answer'
  | 'no tunnel endpoint'
  | 'silent';

export interface ProbeResult {
  readonly plan: Plan;
  readonly verdict: Verdict;
  readonly detail: string;
}

/** The verdict. `mac` is the neighbour's; undefined if it did not answer. */
export function resultOf(plan: Plan, mac: string | undefined, packets: readonly CapturedPacket[]): ProbeResult {
  const named = (verdict: Verdict, detail: string): ProbeResult => ({ plan, verdict, detail });
  const { sport, rip, neighbour, dev } = plan;
  if (mac === undefined)
    return named(
      isIPv6(neighbour) ? 'no neighbour answer' : 'no ARP answer',
      `no host on ${dev} answers for ${neighbour}`,
    );
  const pinged = packets.some(({ text, inwards }) => inwards && text.includes(`echo reply, id ${sport},`));
  const host = pinged ? `${rip} answers ping` : `${rip} does not answer ping either`;
  if (!plan.target)
    return pinged ? named('answers ping', mac) : named('silent', `${neighbour} is at ${mac}, but ${host}`);
  const yes = packets.find((one) => isAnswerTo(one, sport, /Flags \[S\./));
  if (yes) return named('reachable', `SYN-ACK ${delayText(packets, sport, yes)}`);
  const no = packets.find((one) => isAnswerTo(one, sport, /Flags \[R/));
  if (no) return named('refused', `RST ${delayText(packets, sport, no)}`);
  return icmpVerdict(named, plan, packets) ?? named('filtered', `no answer; ${host}`);
}

function delayText(packets: readonly CapturedPacket[], sport: number, { at }: CapturedPacket): string {
  const sent = packets.find(({ text, inwards }) => !inwards && text.includes(`.${sport} > `));
  return sent && at >= sent.at ? `after ${((at - sent.at) * 1000).toFixed(1)} ms` : 'received';
}

/** The verdict of an ICMP error that quotes the probe; undefined if there was none. */
function icmpVerdict(
  named: (verdict: Verdict, detail: string) => ProbeResult,
  { sport }: Plan,
  packets: readonly CapturedPacket[],
): ProbeResult | undefined {
  const error = packets.find(
    ({ text, inwards }) => inwards && /unreachable|prohibited/.test(text) && text.includes(`.${sport} > `),
  );
  if (!error) return undefined;
  const [, from, words = ''] = /\) (\S+) > \S+: ICMP6?,? ([^(]*?),? length/.exec(error.text) ?? [];
  const detail = `ICMP from ${from ?? 'an unknown host'}: ${words}`;
  if (/protocol \d+ unreachable/.test(words)) return named('no tunnel endpoint', detail);
  return named(/port/.test(words) ? 'refused' : 'filtered', detail);
}

export function rowOf({ plan: { names }, verdict, detail }: ProbeResult): Row {
  return { ...names, verdict, detail };
}

const HEALTHY: readonly Verdict[] = ['reachable', 'answers ping'];

/** The finding; none for a healthy verdict. */
export function findingOf(facts: Facts, { plan, verdict, detail }: ProbeResult): Finding[] {
  if (HEALTHY.includes(verdict)) return [];
  const { names, rip, service, destination, target } = plan;
  const what = target ? endpoint(target.address, target.port) : rip;
  return [
    {
      id: `probe-${verdict.toLowerCase().replaceAll(' ', '-')}`,
      host: rip,
      wrong: `realserver ${names.destination} of ${names.service}: ${verdict}`,
      seen: `a SYN from this machine to ${what}${target && target.address !== rip ? ` via ${rip}` : ''}: ${detail}`,
      consequence: CONSEQUENCES[verdict] ?? '',
      fix: [
        ...fixesFor(plan, verdict, detail.startsWith('ICMP')),
        `${editCommand(facts, service, { ...destination, weight: 0 })}   # until then: quiesce it`,
      ],
    },
  ];
}

const LOST = 'its share of the clients gets no answer';
const CONSEQUENCES: Partial<Record<Verdict, string>> = {
  refused: 'its share of the clients gets "connection refused"',
  filtered: LOST,
  silent: LOST,
  'no ARP answer': `${LOST}, or gets "host unreachable"`,
  'no neighbour answer': `${LOST}, or gets "address unreachable"`,
  'no tunnel endpoint': LOST,
};

/**
 * What to do. Commands for the realserver carry its address in a comment, because this machine
 * cannot run them there.
 */
function fixesFor({ rip, neighbour, dev, target, destination }: Plan, verdict: Verdict, icmpError: boolean): string[] {
  const there = (words: string, why: string) => `${words}   # on ${rip}: ${why}`;
  // A host that lacks the VIP sends no error, so an ICMP error excludes a missing VIP.
  const virtual = target && !icmpError && target.address !== rip ? target.address : undefined;
  switch (verdict) {
    case 'refused':
      return [
        there(
          'systemctl restart SERVICE',
          `let its configuration listen on ${endpoint(target!.address, target!.port)} first`,
        ),
      ];
    case 'no tunnel endpoint':
      return [there('modprobe ipip && ip link set tunl0 up', 'nothing decapsulates the tunnel')];
    case 'no ARP answer':
    case 'no neighbour answer':
      return [`ip neigh show ${neighbour}   # is the host up, and on the wire of ${dev}?`];
    case 'filtered': {
      const address =
        virtual && `ip address add ${virtual}/${width(virtual)} dev ${destination.method === 'ipip' ? 'tunl0' : 'lo'}`;
      return [
        ...(address ? [there(address, 'if it is missing')] : []),

        there('nft list ruleset', 'does a rule drop it?'),
      ];
    }
    default:
      return [there('nft list ruleset', 'does a rule drop it?')];
  }
}

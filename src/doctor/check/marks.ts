/**
 * Services by firewall mark (HOWTO 24): whether a rule sets the mark, and whether the packets reach
 * the director.
 */

import { type MarkRule, namesDevice } from '../../service/mark.js';
import { isIPv6 } from '../../wire/address.js';
import { covers, network, width, within } from '../address.js';
import type { Check, Facts, Finding, HostFacts } from '../facts.js';
import { clients, commandOn, director, hasAddress, isMarked, neighbourAddress, ownerOf, vipsOf } from '../queries.js';
import { route } from '../routing.js';

export const markRules: Check = (facts) =>
  facts.director.marks.flatMap((rule) => [...wrongDevice(facts, rule), ...wrongRange(facts, rule)]);

const NEVER = 'no packet gets the mark, and the service gets no packet';

function wrongDevice(facts: Facts, rule: MarkRule): Finding[] {
  const { devices } = facts.director;
  const { device } = rule;
  if (!device || device.negated || devices.some(({ name }) => namesDevice(device.name, name))) return [];
  const right = rule.text.replace(`-i ${device.name}`, `-i ${devices[0]?.name}`);
  const seen = `the director's devices are ${devices.map(({ name }) => name).join(', ')}`;
  return [never(facts, rule, `there is no device ${device.name}`, seen, right)];
}

function wrongRange(facts: Facts, rule: MarkRule): Finding[] {
  const { dst } = rule;
  const ranges = facts.director.ranges
    .filter((range) => dst && isIPv6(range) === isIPv6(dst.address))
    .map((range) => network(range));
  if (!dst || dst.negated || ranges.length === 0) return [];
  const meets = ({ to, length }: { to: string; length: number }) =>
    within(to, dst.address, Math.min(length, dst.length));
  if (ranges.some(meets)) return [];
  const wrong = `${dst.address}/${dst.length} contains no accepted address`;
  const right = rule.text.replace(/-d \S+/, `-d ${facts.director.ranges[0]}`);
  return [never(facts, rule, wrong, `accept.ranges is ${facts.director.ranges.join(', ')}`, right)];
}

function never(facts: Facts, { text }: MarkRule, why: string, seen: string, right: string): Finding {
  const fix = [`sed -i 's|${text}|${right}|' ${facts.config}`, `kill -HUP ${facts.director.pid}`];
  const wrong = `the mark rule "${text}" never matches: ${why}`;
  return { id: 'mark-rule-never-matches', host: director(facts).name, wrong, seen, consequence: NEVER, fix };
}

export const acceptance: Check = (facts) =>
  facts.director.services
    .filter(isMarked)
    .flatMap((service) =>
      vipsOf(facts, service).flatMap((vip) =>
        clients(facts, vip).flatMap(({ host }) => followToDirector(facts, host, vip)),
      ),
    );

/**
 * Follows the routes from the client for at most 8 hops. The packet reaches the director if the
 * director is a gateway on the way, or answers ARP for the VIP on the last wire.
 */
function followToDirector(facts: Facts, client: HostFacts, vip: string): Finding[] {
  const directorHost = director(facts);
  let host: HostFacts = client;
  for (let n = 0; n < 8; n++) {
    const next = route(host, vip);
    if (next?.via === undefined)
      return next && acceptingRange(facts, vip) !== undefined ? [] : [notAccepted(facts, host, vip)];
    if (hasAddress(directorHost, next.via)) return [];
    const owner = ownerOf(facts, next.via);
    if (!owner) return [notAccepted(facts, host, vip)];
    host = owner;
  }
  return [notAccepted(facts, host, vip)];
}

/** The entry of accept.ranges that contains the VIP. */
function acceptingRange({ director: { ranges } }: Facts, vip: string): string | undefined {
  return ranges.find((range) => covers(range, vip));
}

function notAccepted(facts: Facts, host: HostFacts, vip: string): Finding {
  const gateway = neighbourAddress(director(facts), host, vip);
  const range = acceptingRange(facts, vip) ?? `${vip}/${width(vip)}`;
  return {
    id: 'fwmark-not-accepted',
    host: host.name,
    wrong: `packets for ${vip} do not reach the director`,
    seen: `${host.name} has no route for ${vip} via the director, and the director does not answer ARP for it on that wire`,
    consequence: 'the fwmark service gets no packet',
    fix: gateway ? [commandOn(host, `ip route replace ${range} via ${gateway.address} dev ${gateway.dev}`)] : [],
  };
}

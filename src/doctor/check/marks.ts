/** Services by firewall mark (HOWTO 24): does a rule give the mark, and do the packets come here at all? */

import { type MarkRule, namesDevice } from '../../service/mark.js';
import { isIPv6 } from '../../wire/address.js';
import { covers, network, width, within } from '../address.js';
import type { Check, Finding, HostFacts, Site } from '../facts.js';
import { clients, director, hasAddress, isMarked, neighbourAddress, on, ownerOf, vipsOf } from '../query.js';
import { route } from '../routing.js';

export const markRules: Check = (site) =>
  site.director.marks.flatMap((rule) => [...wrongDevice(site, rule), ...wrongRange(site, rule)]);

const NEVER = 'no packet gets the mark: the service never sees one';

function wrongDevice(site: Site, rule: MarkRule): Finding[] {
  const { devices } = site.director;
  const { device } = rule;
  if (!device || device.negated || devices.some(({ name }) => namesDevice(device.name, name))) return [];
  const right = rule.text.replace(`-i ${device.name}`, `-i ${devices[0]?.name}`);
  const seen = `the director's devices are ${devices.map(({ name }) => name).join(', ')}`;
  return [never(site, rule, `there is no device ${device.name}`, seen, right)];
}

function wrongRange(site: Site, rule: MarkRule): Finding[] {
  const { dst } = rule;
  const ranges = site.director.ranges
    .filter((range) => dst && isIPv6(range) === isIPv6(dst.address))
    .map((range) => network(range));
  if (!dst || dst.negated || ranges.length === 0) return [];
  const meets = ({ to, length }: { to: string; length: number }) =>
    within(to, dst.address, Math.min(length, dst.length));
  if (ranges.some(meets)) return [];
  const wrong = `${dst.address}/${dst.length} holds none of the accepted addresses`;
  const right = rule.text.replace(/-d \S+/, `-d ${site.director.ranges[0]}`);
  return [never(site, rule, wrong, `accept.ranges is ${site.director.ranges.join(', ')}`, right)];
}

function never(site: Site, { text }: MarkRule, why: string, seen: string, right: string): Finding {
  const mend = [`sed -i 's|${text}|${right}|' ${site.config}`, `kill -HUP ${site.director.pid}`];
  const wrong = `the mark rule "${text}" never matches: ${why}`;
  return { id: 'mark-rule-never-matches', host: director(site).name, wrong, seen, consequence: NEVER, mend };
}

export const acceptance: Check = (site) =>
  site.director.services
    .filter(isMarked)
    .flatMap((service) =>
      vipsOf(site, service).flatMap((vip) => clients(site, vip).flatMap(({ host }) => arrives(site, host, vip))),
    );

/** Follows the packet from the client: to a gateway that is the director, or onto a wire where it answers ARP for the VIP. */
function arrives(site: Site, client: HostFacts, vip: string): Finding[] {
  const box = director(site);
  let host: HostFacts = client;
  for (let n = 0; n < 8; n++) {
    const next = route(host, vip);
    if (next?.via === undefined) return next && accepted(site, vip) !== undefined ? [] : [stray(site, host, vip)];
    if (hasAddress(box, next.via)) return [];
    const owner = ownerOf(site, next.via);
    if (!owner) return [stray(site, host, vip)];
    host = owner;
  }
  return [stray(site, host, vip)];
}

/** The range that it is accepted by. */
function accepted({ director: { ranges } }: Site, vip: string): string | undefined {
  return ranges.find((range) => covers(range, vip));
}

function stray(site: Site, host: HostFacts, vip: string): Finding {
  const gateway = neighbourAddress(director(site), host, vip);
  const range = accepted(site, vip) ?? `${vip}/${width(vip)}`;
  return {
    id: 'fwmark-not-accepted',
    host: host.name,
    wrong: `nobody brings packets for ${vip} to the director`,
    seen: `${host.name} has no route for ${vip} that ends at the director, and the director does not answer ARP for it there`,
    consequence: 'the fwmark service gets no packet',
    mend: gateway ? [on(host, `ip route replace ${range} via ${gateway.address} dev ${gateway.dev}`)] : [],
  };
}

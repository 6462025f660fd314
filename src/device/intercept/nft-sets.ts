/**
 * Sets of the nft table: the rules of services and destinations are elements of a few sets, and the
 * chain has one rule for each set. So what a packet costs does not depend on the number of rules,
 * and a change sends only what came and went.
 *
 *     chain intercept   ip saddr . meta l4proto . th sport @from4      { 10.0.0.7 . 6 . 8080, … }
 *                       ip daddr @to4 …                                { 10.0.0.100, … }
 *                       rules that are no elements: ranges, prefixes, iif, ICMP errors
 */
import { isIPv6 } from '../../wire/address.js';
import { SCTP, TCP, UDP } from '../../wire/ipv4.js';
import { isSingleAddress } from './address-range.js';
import type { InterceptRule, PacketMatch, PortRange } from './rule.js';

interface NftSet {
  readonly name: string;
  readonly type: string;
  /** What the rule of the set compares. */
  readonly words: string;
}

/** Of one family: by address; by address and protocol; by address, protocol and port. */
function setsOf(family: 4 | 6): NftSet[] {
  const ip = family === 4 ? 'ip' : 'ip6';
  const address = `ipv${family}_addr`;
  return (['saddr', 'daddr'] as const).flatMap((side) => {
    const name = `${side}${family}`;
    const words = `meta protocol ${ip} ${ip} ${side}`;
    const port = side === 'saddr' ? 'th sport' : 'th dport';
    return [
      { name, type: address, words },
      { name: `${name}_proto`, type: `${address} . inet_proto`, words: `${words} . meta l4proto` },
      {
        name: `${name}_port`,
        type: `${address} . inet_proto . inet_service`,
        words: `${words} . meta l4proto . ${port}`,
      },
    ];
  });
}

const ARP: NftSet = { name: 'arp_targets', type: 'ipv4_addr', words: 'arp operation request arp daddr ip' };
const SETS: readonly NftSet[] = [...setsOf(4), ...setsOf(6), ARP];

/** The sets, as lines of a table. */
export const SET_LINES: readonly string[] = SETS.map(({ name, type }) => `  set ${name} { type ${type}; }`);
/** The rules of the chain that look into them. */
export const SET_RULES: readonly string[] = SETS.map(({ name, words }) => `${words} @${name} counter drop`);

/** An element of a set. */
export interface NftElement {
  readonly set: string;
  readonly text: string;
}

/** The element for a rule about a single address; undefined: it needs a rule of its own. */
export function elementOf(rule: InterceptRule): NftElement | undefined {
  if (rule.iif !== undefined || rule.kind === 'icmpError') return undefined;
  if (rule.kind === 'packet') return packetElement(rule);
  // Neighbour solicitations are matched by raw payload, for which no set has a type.
  if (isIPv6(rule.target) || !isSingleAddress(rule.target, 4)) return undefined;
  return { set: ARP.name, text: rule.target };
}

function packetElement(match: PacketMatch): NftElement | undefined {
  const { family, saddr, daddr, protocol, sport = [], dport = [] } = match;
  const [side, address, ports, others] =
    daddr === undefined ? (['saddr', saddr, sport, dport] as const) : (['daddr', daddr, dport, sport] as const);
  if (address === undefined || (saddr !== undefined && daddr !== undefined) || others.length > 0) return undefined;
  if (!isSingleAddress(address, family)) return undefined;
  const name = `${side}${family}`;
  if (protocol === undefined) return ports.length === 0 ? { set: name, text: address } : undefined;
  if (ports.length === 0) return { set: `${name}_proto`, text: `${address} . ${protocol}` };
  const port = singlePort(ports);
  if (port === undefined || !WITH_PORTS.includes(protocol)) return undefined;
  return { set: `${name}_port`, text: `${address} . ${protocol} . ${port}` };
}

const WITH_PORTS: readonly number[] = [TCP, UDP, SCTP];

function singlePort(ports: readonly PortRange[]): number | undefined {
  const [[from, to] = [0, 1]] = ports;
  const isOne = ports.length === 1 && from === to && from >= 0 && from <= 0xffff && Number.isInteger(from);
  return isOne ? from : undefined;
}

/** Commands that add elements to their sets, or delete them. `table`: with its family. */
export function elementLines(verb: 'add' | 'delete', table: string, elements: readonly NftElement[]): string[] {
  const bySet = new Map<string, string[]>();
  for (const { set, text } of elements) {
    const texts = bySet.get(set);
    if (texts === undefined) bySet.set(set, [text]);
    else texts.push(text);
  }
  return [...bySet].map(([set, texts]) => `${verb} element ${table} ${set} { ${texts.join(', ')} }`);
}

/** Writes InterceptRules in the syntax of nft(8). Each rule counts and drops. */

import { isIPv6 } from '../../wire/address.js';
import { NEIGHBOUR_SOLICITATION } from '../../wire/icmp6.js';
import { DCCP, ICMP, SCTP, TCP, UDP, UDPLITE } from '../../wire/ipv4.js';
import { ICMP6 } from '../../wire/ipv6.js';
import { DeviceError } from '../error.js';
import { addressRange } from './address-range.js';
import { ICMP_ERRORS, ICMP6_ERRORS, type InterceptRule, type PacketMatch, type PortRange } from './rule.js';

const PORTS: readonly number[] = [TCP, UDP, DCCP, SCTP, UDPLITE];

/** The line of nft for one rule. Throws a DeviceError that names the wrong field. */
export function ruleText(rule: InterceptRule): string {
  const words: string[] = [];
  if (rule.iif !== undefined) words.push(`iifname ${quoted(rule.iif)}`);
  if (rule.kind === 'packet') words.push(...packetWords(rule));
  else if (rule.kind === 'icmpError') words.push(...errorWords(rule.about));
  else words.push(...resolutionWords(rule.target));
  return [...words, 'counter drop'].join(' ');
}

/**
 * ARP requests; neighbour solicitations (RFC 4861, 4.3) by raw payload: the type is byte 0 of the
 * ICMPv6 header, the target address begins at byte 8.
 */
function resolutionWords(target: string): string[] {
  if (!isIPv6(target)) return ['arp operation request', `arp daddr ip ${addresses(target, 4)}`];
  return [
    'meta protocol ip6',
    `meta l4proto ${ICMP6}`,
    `@th,0,8 ${NEIGHBOUR_SOLICITATION}`,
    `@th,64,128 ${rawAddresses(target, 6)}`,
  ];
}

/** An interface name in quotes. Throws a DeviceError for a name that could end the quotes. */
export function quoted(name: string): string {
  if (!/^[\w.:@-]{1,15}$/.test(name)) throw new DeviceError(name, 'not an interface name');
  return `"${name}"`;
}

function packetWords(match: PacketMatch): string[] {
  const ip = match.family === 4 ? 'ip' : 'ip6';
  const words = [`meta protocol ${ip}`];
  if (match.saddr !== undefined) words.push(`${ip} saddr ${addresses(match.saddr, match.family)}`);
  if (match.daddr !== undefined) words.push(`${ip} daddr ${addresses(match.daddr, match.family)}`);
  if (match.protocol !== undefined) words.push(`meta l4proto ${match.protocol}`);
  if (hasPorts(match.sport, match)) words.push(`th sport ${ports(match.sport)}`);
  if (hasPorts(match.dport, match)) words.push(`th dport ${ports(match.dport)}`);
  return words;
}

/**
 * Matches the packet that an ICMP error quotes, by raw payload: the packet begins 8 bytes behind
 * the begin of the ICMP header. Ports are expected behind an IP header without options.
 */
function errorWords(about: PacketMatch): string[] {
  const v4 = about.family === 4;
  const types = v4 ? ICMP_ERRORS : ICMP6_ERRORS;
  const [proto, source, destination, end] = v4 ? [9, 12, 16, 20] : [6, 8, 24, 40];
  const words = [`meta protocol ${v4 ? 'ip' : 'ip6'}`, `meta l4proto ${v4 ? ICMP : ICMP6}`];
  words.push(`@th,0,8 { ${types.join(', ')} }`);
  if (about.protocol !== undefined) words.push(`@th,${(8 + proto) * 8},8 ${about.protocol}`);
  const size = v4 ? 32 : 128;
  if (about.saddr !== undefined)
    words.push(`@th,${(8 + source) * 8},${size} ${rawAddresses(about.saddr, about.family)}`);
  if (about.daddr !== undefined)
    words.push(`@th,${(8 + destination) * 8},${size} ${rawAddresses(about.daddr, about.family)}`);
  if (hasPorts(about.sport, about)) words.push(`@th,${(8 + end) * 8},16 ${ports(about.sport)}`);
  if (hasPorts(about.dport, about)) words.push(`@th,${(10 + end) * 8},16 ${ports(about.dport)}`);
  return words;
}

function hasPorts(list: readonly PortRange[] | undefined, match: PacketMatch): list is readonly PortRange[] {
  if (list === undefined || list.length === 0) return false;
  if (match.protocol !== undefined && PORTS.includes(match.protocol)) return true;
  throw new DeviceError('nft rule', `ports given for protocol ${match.protocol ?? 'any'}`, 'name tcp, udp or sctp');
}

function ports(list: readonly PortRange[]): string {
  const words = list.map(([from, to]) => {
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= 0xffff))
      throw new DeviceError('nft rule', `bad port range ${from}-${to}`);
    return from === to ? `${from}` : `${from}-${to}`;
  });
  return words.length === 1 ? words[0]! : `{ ${words.join(', ')} }`;
}

function addresses(text: string, family: 4 | 6): string {
  addressRange(text, family);
  return text;
}

function rawAddresses(text: string, family: 4 | 6): string {
  const [from, to] = addressRange(text, family);
  const word = (value: bigint) => `0x${value.toString(16).padStart(family === 4 ? 8 : 32, '0')}`;
  return from === to ? word(from) : `${word(from)}-${word(to)}`;
}

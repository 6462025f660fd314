/**
 * Values in mark rules: protocols, ports, TCP flags, ICMP types, marks, as iptables 1.8 accepts
 * them.
 */
import type { Family } from '../../service/config.js';
import { ACK, FIN, PSH, RST, SYN, URG } from '../../wire/tcp.js';

/** A mistake in a mark rule; the message is one line for the user. */
export class MarkRuleError extends Error {
  override readonly name = 'MarkRuleError';
}

/** `-p all`, which matches every protocol. */
export const ANY_PROTOCOL = 0;
/** IP protocol numbers by name. */
export const PROTOCOLS: Readonly<Record<string, number>> = {
  all: ANY_PROTOCOL,
  icmp: 1,
  ipencap: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  'ipv6-icmp': 58,
  sctp: 132,
};

const FLAGS: Readonly<Record<string, number>> = {
  NONE: 0,
  FIN,
  SYN,
  RST,
  PSH,
  ACK,
  URG,
  ALL: 63,
};

type IcmpName = readonly [type: number, code?: number];
const ICMP4: Readonly<Record<string, IcmpName>> = {
  'echo-reply': [0],
  pong: [0],
  'destination-unreachable': [3],
  'network-unreachable': [3, 0],
  'host-unreachable': [3, 1],
  'protocol-unreachable': [3, 2],
  'port-unreachable': [3, 3],
  'fragmentation-needed': [3, 4],
  'source-route-failed': [3, 5],
  'network-unknown': [3, 6],
  'host-unknown': [3, 7],
  'network-prohibited': [3, 9],
  'host-prohibited': [3, 10],
  'communication-prohibited': [3, 13],
  'source-quench': [4],
  redirect: [5],
  'network-redirect': [5, 0],
  'host-redirect': [5, 1],
  'echo-request': [8],
  ping: [8],
  'router-advertisement': [9],
  'router-solicitation': [10],
  'time-exceeded': [11],
  'ttl-exceeded': [11],
  'ttl-zero-during-transit': [11, 0],
  'ttl-zero-during-reassembly': [11, 1],
  'parameter-problem': [12],
  'ip-header-bad': [12, 0],
  'required-option-missing': [12, 1],
  'timestamp-request': [13],
  'timestamp-reply': [14],
  'address-mask-request': [17],
  'address-mask-reply': [18],
};
const ICMP6: Readonly<Record<string, IcmpName>> = {
  'destination-unreachable': [1],
  'no-route': [1, 0],
  'address-unreachable': [1, 3],
  'port-unreachable': [1, 4],
  'packet-too-big': [2],
  'time-exceeded': [3],
  'ttl-zero-during-transit': [3, 0],
  'ttl-zero-during-reassembly': [3, 1],
  'parameter-problem': [4],
  'echo-request': [128],
  'echo-reply': [129],
  'router-solicitation': [133],
  'router-advertisement': [134],
  'neighbour-solicitation': [135],
  'neighbor-solicitation': [135],
  'neighbour-advertisement': [136],
  'neighbor-advertisement': [136],
  redirect: [137],
};

/** Names of ICMP types, for a suggestion. */
export function icmpNames(family: Family): readonly string[] {
  return Object.keys(family === 4 ? ICMP4 : ICMP6);
}

/**
 * A decimal number, or a hexadecimal one after 0x, up to `max`; else undefined. 010 is refused:
 * iptables reads it as octal.
 */
export function wholeNumber(text: string, max: number): number | undefined {
  if (!/^(0x[0-9a-f]{1,8}|0|[1-9]\d{0,9})$/i.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

/** A name or a number up to 255; else undefined. */
export function parseProtocol(text: string): number | undefined {
  const word = text.toLowerCase();
  return Object.hasOwn(PROTOCOLS, word) ? PROTOCOLS[word] : wholeNumber(word, 255);
}

/** `80`, `80:90`, `:1023` or `1024:` as [low, high], both included; else undefined. */
export function parsePortRange(text: string): [number, number] | undefined {
  const parts = text.split(':');
  if (text === '' || text === ':' || parts.length > 2) return undefined;
  const low = parts[0] === '' ? 0 : wholeNumber(parts[0]!, 0xffff);
  const high = parts.length === 1 ? low : parts[1] === '' ? 0xffff : wholeNumber(parts[1]!, 0xffff);
  return low === undefined || high === undefined || low > high ? undefined : [low, high];
}

/** `SYN,ACK`, `ALL` or `NONE` as bits; else undefined. */
export function parseFlags(text: string): number | undefined {
  let flags = 0;
  for (const word of text.toUpperCase().split(',')) {
    if (!Object.hasOwn(FLAGS, word)) return undefined;
    flags |= FLAGS[word]!;
  }
  return flags;
}

/** A name, `8` or `3/4`; else undefined. Without a code all codes match. */
export function parseIcmpType(text: string, family: Family): { type: number; code: [number, number] } | undefined {
  const names = family === 4 ? ICMP4 : ICMP6;
  const word = text.toLowerCase();
  const [type, code] = Object.hasOwn(names, word) ? names[word]! : numbers(word, 255);
  if (type === undefined || Number.isNaN(code)) return undefined;
  return { type, code: code === undefined ? [0, 255] : [code, code] };
}

/**
 * `1` or `0x10/0xf0` as [value, mask], with an undefined mask when none is given; else undefined.
 */
export function parseMarkValue(text: string): readonly [value: number, mask: number | undefined] | undefined {
  const [value, mask] = numbers(text, 0xffff_ffff);
  return value === undefined || Number.isNaN(mask) ? undefined : [value, mask];
}

/** `a` or `a/b`; b is NaN when it is given but wrong. */
function numbers(text: string, max: number): [number | undefined, number | undefined] {
  const [first, second, ...more] = text.split('/');
  const value = more.length > 0 ? undefined : wholeNumber(first!, max);
  return [value, second === undefined ? undefined : (wholeNumber(second, max) ?? Number.NaN)];
}

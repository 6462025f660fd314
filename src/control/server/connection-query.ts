/**
 * A search in the connection tables: words, all of which must match, in any order.
 *
 *     word = tcp | udp | sctp                        the protocol
 *          | ESTABLISHED | TIME_WAIT | …             the state
 *          | synced | template                       how it came to be
 *          | [ side ":" ] ( address | prefix | port | address:port )
 *          | text                                    part of a template's key, such as a SIP Call-ID
 *     side = client | vip | dest                     without it: any of the three
 *
 * A query becomes one function over the words of the table, since it may see a million entries.
 */
import { caddrAt, daddrAt, stateName } from '../../conntrack/describe.js';
import { engineOf, keyText } from '../../conntrack/engine-templates.js';
import {
  CONN_ENGINE_KEY,
  CONN_IPV6,
  CONN_MIXED,
  CONN_SYNC,
  CONN_TEMPLATE,
  DADDR,
  DEST,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  PORTS,
  VADDR,
  WIDE_CADDR,
  WIDE_DADDR,
  WIDE_VADDR,
} from '../../conntrack/entry.js';
import { SCTP_STATES } from '../../conntrack/sctp.js';
import { TCP_STATES } from '../../conntrack/tcp.js';
import { maskWord } from '../../wire/address.js';
import { SCTP, TCP, UDP } from '../../wire/ipv4.js';
import { contains, type Ip, networkOf, type Prefix, parseIp, parsePrefix } from '../text/prefix.js';

/** Returns true when the entry at word `at` matches. */
export type Matches = (words: Int32Array, at: number) => boolean;
/** Address of a destination by slot, for tunnels to the other family. */
export type DaddrOf = (slot: number) => string;

type Side = 'client' | 'vip' | 'dest';

const SIDES: readonly Side[] = ['client', 'vip', 'dest'];
const PROTOCOLS: Readonly<Record<string, number>> = { tcp: TCP, udp: UDP, sctp: SCTP };
const FLAG_WORDS: Readonly<Record<string, number>> = { synced: CONN_SYNC, template: CONN_TEMPLATE };
const STATES = new Set<string>([...TCP_STATES, ...SCTP_STATES, 'UDP', 'ASSURED', 'NONE']);

/** Compiles a query; an empty one matches everything. */
export function parseQuery(text: string, daddrOf: DaddrOf): Matches {
  const terms = text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => term(word, daddrOf));
  const [first, second] = terms;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  return (words, at) => terms.every((one) => one(words, at));
}

function term(word: string, daddrOf: DaddrOf): Matches {
  const protocol = PROTOCOLS[word.toLowerCase()];
  if (protocol !== undefined) return (words, at) => ((words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff) === protocol;
  const flag = FLAG_WORDS[word.toLowerCase()];
  if (flag !== undefined) return (words, at) => (words[at + FLAGS]! & flag) !== 0;
  if (STATES.has(word.toUpperCase())) return inState(word.toUpperCase());
  const [, side, rest = ''] = /^(client|vip|dest):(.+)$/.exec(word) ?? [undefined, undefined, word];
  const place = placeOf(rest, daddrOf);
  if (place === undefined) return hasKeyWith(word.toLowerCase());
  if (side !== undefined) return place(side as Side);
  const places = SIDES.map(place);
  return (words, at) => places[0]!(words, at) || places[1]!(words, at) || places[2]!(words, at);
}

function inState(name: string): Matches {
  return (words, at) => {
    const protoState = words[at + DPORT_PROTO_STATE]!;
    return stateName((protoState >>> 8) & 0xff, protoState & 0xff, words[at + FLAGS]!) === name;
  };
}

function hasKeyWith(part: string): Matches {
  return (words, at) => {
    if ((words[at + FLAGS]! & CONN_ENGINE_KEY) === 0) return false;
    const entry = at >>> ENTRY_SHIFT;
    return engineOf(words, entry) !== 0 && keyText(words, entry).toLowerCase().includes(part);
  };
}

/** Reads `address`, `prefix`, `port`, `:port`, `address:port`, `[address]:port`. */
function placeOf(text: string, daddrOf: DaddrOf): ((side: Side) => Matches) | undefined {
  const onlyPort = portOf(text.replace(/^:(?=\d)/, ''));
  if (onlyPort !== undefined) return (side) => hasPort(side, onlyPort);
  const whole = parsePrefix(text);
  if (whole !== undefined) return (side) => hasAddress(side, whole, daddrOf);
  const [, six, four, digits = ''] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const [prefix, port] = [parsePrefix(six ?? four ?? ''), portOf(digits)];
  if (prefix === undefined || port === undefined) return undefined;
  return (side) => {
    const [address, ports] = [hasAddress(side, prefix, daddrOf), hasPort(side, port)];
    return (words, at) => ports(words, at) && address(words, at);
  };
}

function portOf(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 0xffff ? Number(text) : undefined;
}

function hasPort(side: Side, port: number): Matches {
  if (side === 'client') return (words, at) => words[at + PORTS]! >>> 16 === port;
  if (side === 'vip') return (words, at) => (words[at + PORTS]! & 0xffff) === port;
  return (words, at) => words[at + DPORT_PROTO_STATE]! >>> 16 === port;
}

function hasAddress(side: Side, prefix: Prefix, daddrOf: DaddrOf): Matches {
  const network = networkOf(prefix);
  const masks = Array.from(network.words, (_, i) => maskWord(prefix.length, i));
  const same = network.family === 4 ? hasAddress4(side, network, masks[0]!) : hasAddress6(side, network, masks);
  if (side !== 'dest') return same;
  return (words, at) => {
    const isMixed = (words[at + FLAGS]! & CONN_MIXED) !== 0;
    return isMixed ? isIn(daddrOf(words[at + DEST]! - 1), prefix) : same(words, at);
  };
}

function hasAddress4(side: Side, network: Ip, mask: number): Matches {
  const wanted = network.words[0]!;
  return (words, at) => (words[at + FLAGS]! & CONN_IPV6) === 0 && (words[wordOf4(side, words, at)]! & mask) === wanted;
}

function hasAddress6(side: Side, network: Ip, masks: readonly number[]): Matches {
  const field = { client: WIDE_CADDR, vip: WIDE_VADDR, dest: WIDE_DADDR }[side];
  return (words, at) => {
    if ((words[at + FLAGS]! & CONN_IPV6) === 0) return false;
    const wide = (words[at + DADDR]! << ENTRY_SHIFT) + field;
    return masks.every((mask, i) => (words[wide + i]! & mask) === network.words[i]);
  };
}

/** The word with the IPv4 address of a side. */
function wordOf4(side: Side, words: Int32Array, at: number): number {
  if (side === 'vip') return at + VADDR;
  return (side === 'dest' ? daddrAt : caddrAt)(words, at, words[at + FLAGS]!);
}

function isIn(text: string, prefix: Prefix): boolean {
  const ip = parseIp(text);
  return ip !== undefined && contains(prefix, ip);
}

/**
 * Rules about one address and a few ports or none: what they are in the tries and in the port
 * table. They come and go one by one (intercept-table.ts).
 *
 *     saddr 10.0.0.7, TCP, port 80 ─► trie src4: 10.0.0.7/32 PORTS
 *                                                         fragments of TCP
 *                                     port table: 10.0.0.7 | 80 | TCP | src4
 */
import { isIPv6 } from '../../wire/address.js';
import { type Prefix, prefixesOf } from '../intercept/address-range.js';
import type { InterceptRule, PortRange } from '../intercept/rule.js';
import { ARP_TARGET, FRAGMENT, FRAGMENT_BITS, PORT_KEY, PORTS, SIDES, type Side, WHOLE } from './layout.js';

const NO_PORTS: readonly PortRange[] = [];
/** A rule with more ports than this gets a rule bit instead of an entry for each port. */
const FEW_PORTS = 16;

/** A rule about one address, on every device, that needs no rule bit. */
export interface HostRule {
  readonly side: Side;
  readonly prefix: Prefix;
  readonly flag: number;
  /** It is about these ports only. */
  readonly few?: FewPorts;
}

/** No port: any. */
export interface FewPorts {
  readonly protocol: number;
  readonly ports: readonly number[];
}

/** Such rules that came and went. */
export interface HostDelta {
  readonly added: readonly HostRule[];
  readonly removed: readonly HostRule[];
}

/** The rules, if each is about one address; undefined: another rule is among them. */
export function hostDelta(added: readonly InterceptRule[], removed: readonly InterceptRule[]): HostDelta | undefined {
  const [came, went] = [hostRules(added), hostRules(removed)];
  return came && went && { added: came, removed: went };
}

function hostRules(rules: readonly InterceptRule[]): HostRule[] | undefined {
  const list: HostRule[] = [];
  for (const rule of rules) {
    const one = hostRuleOf(rule);
    if (one === undefined) return undefined;
    list.push(one);
  }
  return list;
}

function hostRuleOf(rule: InterceptRule): HostRule | undefined {
  if (rule.iif !== undefined || rule.kind === 'icmpError') return undefined;
  if (rule.kind === 'arp') return hostOf(rule.target, isIPv6(rule.target) ? 'dst6' : 'dst4', ARP_TARGET);
  const { family, saddr, daddr, protocol } = rule;
  const isSource = daddr === undefined;
  const address = isSource ? saddr : daddr;
  const ports = (isSource ? rule.sport : rule.dport) ?? NO_PORTS;
  const others = (isSource ? rule.dport : rule.sport) ?? NO_PORTS;
  if (address === undefined || (saddr !== undefined && daddr !== undefined) || others.length > 0) return undefined;
  const side: Side = `${isSource ? 'src' : 'dst'}${family}`;
  if (protocol === undefined) return ports.length === 0 ? hostOf(address, side, WHOLE) : undefined;
  const few = portsOf(ports);
  return few && hostOf(address, side, PORTS, { protocol, ports: few });
}

function hostOf(address: string, side: Side, flag: number, few?: FewPorts): HostRule | undefined {
  const prefixes = prefixesOf(address, side.endsWith('4') ? 4 : 6);
  const prefix = prefixes[0];
  if (prefix === undefined || prefixes.length > 1 || !isHost(prefix)) return undefined;
  return few === undefined ? { side, prefix, flag } : { side, prefix, flag, few };
}

/**
 * Calls `then` with the key of each port; without ports, with that of any port. Fragments of a
 * protocol without a bit have one of their own. The key is valid until the next call.
 */
export function eachPortKey(
  side: Side,
  address: Uint8Array,
  { protocol, ports }: FewPorts,
  then: (key: Int32Array) => void,
): void {
  const number = SIDES.indexOf(side);
  if (ports.length === 0) then(portKey(address, 0, protocol, number));
  for (const port of ports) then(portKey(address, port, protocol, number));
  if (!FRAGMENT_BITS.includes(protocol)) then(portKey(address, 0, protocol, number | FRAGMENT));
}

export function isHost({ address, length }: { address: Uint8Array; length: number }): boolean {
  return length === 8 * address.length;
}

/** The ports of the ranges; undefined when there are many, or port 0, which stands for any. */
export function portsOf(ranges: readonly PortRange[]): readonly number[] | undefined {
  const one = ranges.length === 1 ? ranges[0]! : undefined;
  if (one !== undefined && one[0] === one[1] && one[0] > 0) return [one[0]];
  const count = ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  if (count > FEW_PORTS || ranges.some(([from]) => from === 0)) return undefined;
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
}

const scratch = new Uint8Array(PORT_KEY);
const scratchWords = new Int32Array(scratch.buffer);

/**
 * A key of the port table (layout.ts). `side`: its index in SIDES.
 * The key is valid until the next call.
 */
export function portKey(address: Uint8Array, port: number, protocol: number, side: number): Int32Array {
  for (let i = 0; i < scratchWords.length; i++) scratchWords[i] = 0;
  for (let i = 0; i < address.length; i++) scratch[i] = address[i]!;
  scratch[16] = port >> 8;
  scratch[17] = port;
  scratch[18] = protocol;
  scratch[19] = side;
  return scratchWords;
}

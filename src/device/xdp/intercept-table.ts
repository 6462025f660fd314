/**
 * InterceptTable: what the maps of a device must hold for a list of intercept rules, as plain data.
 * It is made anew when the rules change.
 *
 *     rule                                          becomes
 *     daddr (or saddr) alone                        WHOLE in the trie
 *     one address, protocol, a few ports or none    PORTS in the trie, entries of the port table
 *     anything else                                 a rule bit: in the tries by its addresses, by protocol, by port
 *     icmpError                                     a flag for its family, whatever the error is about
 *     arp                                           ARP_TARGET in the trie
 */

import { isIPv6 } from '../../wire/address.js';
import { DeviceError } from '../error.js';
import { prefixesOf } from '../intercept/address-range.js';
import type { InterceptRule, PacketMatch, PortRange } from '../intercept/rule.js';
import {
  ARP_TARGET,
  FRAGMENT,
  ICMP_ERRORS_4,
  ICMP_ERRORS_6,
  NO_PORT,
  PORT_ENTRIES,
  PORT_KEY,
  PORTS,
  PROTOCOL_ENTRIES,
  RULE_BITS,
  SIDES,
  type Side,
  WHOLE,
  WITH_PORTS,
} from './layout.js';
import { Trie } from './trie.js';

/** A rule with more ports than this gets a rule bit instead of an entry for each port. */
const FEW_PORTS = 16;

export class InterceptTable {
  readonly tries: Readonly<Record<Side, Trie>> = {
    dst4: new Trie(4),
    src4: new Trie(4),
    dst6: new Trie(6),
    src6: new Trie(6),
  };
  /** Keys of the port table, in hex. */
  readonly ports = new Set<string>();
  /** Rule bits: two 32-bit words an entry. */
  readonly protocols = new Uint32Array(2 * PROTOCOL_ENTRIES);
  readonly sports = new Uint32Array(2 * PORT_ENTRIES);
  readonly dports = new Uint32Array(2 * PORT_ENTRIES);
  /** The bit of each rule that needs one, by the rule's JSON text. */
  readonly bits = new Map<string, number>();

  /**
   * Uses the rules for `device`. Rules that `before` has keep their bits. Throws a DeviceError for
   * a malformed rule.
   */
  constructor(rules: readonly InterceptRule[], device: string, before?: InterceptTable) {
    const here = rules.filter(({ iif }) => iif === undefined || iif === device);
    const wide = here.filter((rule) => !this.addSimple(rule)) as (InterceptRule & PacketMatch)[];
    this.assignBits(wide.map(textOf), before?.bits ?? new Map());
    for (const rule of wide) this.addWide(rule, this.bits.get(textOf(rule))!);
    for (const side of SIDES) this.tries[side].inherit();
  }

  /** Returns false when the rule needs a rule bit. */
  private addSimple(rule: InterceptRule): boolean {
    if (rule.kind === 'icmpError') this.protocols[2 * (rule.about.family === 4 ? ICMP_ERRORS_4 : ICMP_ERRORS_6)] = 1;
    else if (rule.kind === 'arp') this.flag(isIPv6(rule.target) ? 'dst6' : 'dst4', rule.target, ARP_TARGET);
    else return this.addAddress(rule, 'dst') || this.addAddress(rule, 'src');
    return true;
  }

  /** Adds a packet rule that names one side only. Returns false when it needs a rule bit. */
  private addAddress(match: PacketMatch, which: 'dst' | 'src'): boolean {
    const { family, protocol } = match;
    const [address, other] = which === 'dst' ? [match.daddr, match.saddr] : [match.saddr, match.daddr];
    const [ports, otherPorts] = which === 'dst' ? [match.dport, match.sport] : [match.sport, match.dport];
    if (address === undefined || other !== undefined || (otherPorts ?? []).length > 0) return false;
    const few = portsOf(ports ?? []);
    const prefixes = prefixesOf(address, family);
    if (protocol === undefined && (ports ?? []).length === 0) this.flag(`${which}${family}`, address, WHOLE);
    else if (protocol === undefined || few === undefined || prefixes.length !== 1 || !isHost(prefixes[0]!))
      return false;
    else this.addPorts(`${which}${family}`, address, prefixes[0]!.address, protocol, few);
    return true;
  }

  private addPorts(side: Side, text: string, address: Uint8Array, protocol: number, ports: readonly number[]): void {
    this.flag(side, text, PORTS);
    const number = SIDES.indexOf(side);
    for (const port of ports.length === 0 ? [0] : ports) this.ports.add(portKey(address, port, protocol, number));
    this.ports.add(portKey(address, 0, protocol, number | FRAGMENT));
  }

  private flag(side: Side, text: string, flag: number): void {
    for (const prefix of prefixesOf(text, side.endsWith('4') ? 4 : 6)) this.tries[side].at(prefix).flags |= flag;
  }

  /**
   * Assigns bits. A rule keeps its bit. A new rule gets a bit that was free before, so that the
   * program never reads a part of one rule and a part of another.
   */
  private assignBits(rules: readonly string[], before: ReadonlyMap<string, number>): void {
    const all = Array.from({ length: RULE_BITS - 1 }, (_, bit) => bit);
    const kept = new Set(rules.flatMap((rule) => before.get(rule) ?? []));
    const used = new Set(before.values());
    const free = [...all.filter((bit) => !used.has(bit)), ...all.filter((bit) => used.has(bit) && !kept.has(bit))];
    for (const rule of rules)
      if (!this.bits.has(rule)) this.bits.set(rule, before.get(rule) ?? free.shift() ?? RULE_BITS - 1);
  }

  private addWide(match: PacketMatch, bit: number): void {
    const { family, protocol } = match;
    const any = family === 4 ? '0.0.0.0/0' : '::/0';
    for (const prefix of prefixesOf(match.daddr ?? any, family)) this.tries[`dst${family}`].at(prefix).setBit(bit);
    for (const prefix of prefixesOf(match.saddr ?? any, family)) this.tries[`src${family}`].at(prefix).setBit(bit);
    if (protocol === undefined) fill(this.protocols, 0, 255, bit);
    else fill(this.protocols, protocol, protocol, bit);
    addPortBits(this.sports, match.sport, match, bit);
    addPortBits(this.dports, match.dport, match, bit);
  }
}

function textOf(rule: InterceptRule): string {
  return JSON.stringify(rule);
}

function isHost({ address, length }: { address: Uint8Array; length: number }): boolean {
  return length === 8 * address.length;
}

/** The ports of the ranges; undefined when there are many, or port 0, which stands for any. */
function portsOf(ranges: readonly PortRange[]): number[] | undefined {
  const count = ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  if (count > FEW_PORTS || ranges.some(([from]) => from === 0)) return undefined;
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
}

function portKey(address: Uint8Array, port: number, protocol: number, side: number): string {
  const key = Buffer.alloc(PORT_KEY);
  key.set(address);
  key.writeUInt16BE(port, 16);
  key.set([protocol, side], 18);
  return key.toString('hex');
}

function fill(words: Uint32Array, from: number, to: number, bit: number): void {
  for (let i = from; i <= to; i++) words[2 * i + (bit >> 5)]! |= 1 << (bit & 31);
}

/**
 * Sets the bit for the ports. It is always set for packets without ports: their ports exclude no
 * rule.
 */
function addPortBits(words: Uint32Array, ranges: readonly PortRange[] = [], match: PacketMatch, bit: number): void {
  fill(words, NO_PORT, NO_PORT, bit);
  if (ranges.length === 0) return fill(words, 0, NO_PORT - 1, bit);
  if (!WITH_PORTS.some((protocol) => protocol === match.protocol))
    throw new DeviceError(
      'intercept rule',
      `ports given for protocol ${match.protocol ?? 'any'}`,
      'name tcp, udp or sctp',
    );
  for (const [from, to] of ranges) fill(words, from, to, bit);
}

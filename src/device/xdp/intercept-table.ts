/**
 * InterceptTable: what the maps of all devices must hold for a list of intercept rules, as plain
 * data. Simple rules about single addresses come and go one by one; for others it is made anew.
 *
 *     rule                                          becomes
 *     daddr (or saddr) alone                        WHOLE in the trie
 *     one address, protocol, a few ports or none    PORTS in the trie, entries of the port table
 *     anything else                                 a rule bit: in the tries by its addresses, by protocol, by port
 *     a rule about one device of several (iif)      a rule bit: that of its protocol is set for the device alone
 *     icmpError                                     a flag for its family, whatever the error is about
 *     arp                                           ARP_TARGET in the trie
 */

import { isIPv6 } from '../../wire/address.js';
import { DeviceError } from '../error.js';
import { type Prefix, prefixesOf } from '../intercept/address-range.js';
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
import { Trie, type TrieEntry } from './trie.js';

/** A rule with more ports than this gets a rule bit instead of an entry for each port. */
const FEW_PORTS = 16;

export class InterceptTable {
  readonly tries: Readonly<Record<Side, Trie>> = {
    dst4: new Trie(4),
    src4: new Trie(4),
    dst6: new Trie(6),
    src6: new Trie(6),
  };
  /** Keys of the port table, in hex, with the number of rules that need each. */
  readonly ports = new Map<string, number>();
  /** Rule bits: two 32-bit words an entry. By protocol they differ by device. */
  readonly protocols: ReadonlyMap<string, Uint32Array>;
  readonly sports = new Uint32Array(2 * PORT_ENTRIES);
  readonly dports = new Uint32Array(2 * PORT_ENTRIES);
  /** The bit of each rule that needs one, by the rule's JSON text. */
  readonly bits = new Map<string, number>();

  /**
   * Uses the rules for `devices`. Rules that `before` has keep their bits. Throws a DeviceError for
   * a malformed rule.
   */
  constructor(rules: readonly InterceptRule[], devices: readonly string[], before?: InterceptTable) {
    this.protocols = new Map(devices.map((device) => [device, new Uint32Array(2 * PROTOCOL_ENTRIES)]));
    const here = rules.flatMap((rule) => rulesHere(rule, devices));
    const wide = here.filter((rule) => !this.addSimple(rule)) as (InterceptRule & PacketMatch)[];
    this.assignBits(wide.map(textOf), before?.bits ?? new Map());
    for (const rule of wide) this.addWide(rule, this.bits.get(textOf(rule))!);
    for (const side of SIDES) this.tries[side].inherit();
  }

  /** Returns false when the rule needs a rule bit. */
  private addSimple(rule: InterceptRule): boolean {
    if (rule.kind === 'icmpError') this.flagErrors(rule);
    else if (rule.kind === 'arp') this.flag(isIPv6(rule.target) ? 'dst6' : 'dst4', rule.target, ARP_TARGET);
    else if (rule.iif !== undefined) return false;
    else return this.addAddress(rule, 'dst') || this.addAddress(rule, 'src');
    return true;
  }

  private flagErrors({ about, iif }: Extract<InterceptRule, { kind: 'icmpError' }>): void {
    for (const words of this.protocolsOf(iif)) words[2 * (about.family === 4 ? ICMP_ERRORS_4 : ICMP_ERRORS_6)] = 1;
  }

  /** Of one device, or of all. */
  private protocolsOf(iif: string | undefined): Iterable<Uint32Array> {
    return iif === undefined ? this.protocols.values() : [this.protocols.get(iif)!];
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
    for (const key of portKeys(side, address, protocol, ports)) this.ports.set(key, (this.ports.get(key) ?? 0) + 1);
  }

  private flag(side: Side, text: string, flag: number): void {
    for (const prefix of prefixesOf(text, side.endsWith('4') ? 4 : 6)) this.tries[side].at(prefix).hold(flag);
  }

  /**
   * Adds or removes a rule. `changed` gets the entry and the port keys that the maps must follow.
   */
  changeHost(host: HostRule, one: 1 | -1, changed: HostChanges): void {
    const { side, prefix, flag, keys } = host;
    const trie = this.tries[side];
    const entry = trie.at(prefix);
    if (one === 1) entry.hold(flag);
    else entry.release(flag);
    trie.adopt(entry);
    if (entry.isEmpty) trie.entries.delete(entry.key);
    changed.entries[side].set(entry.key, entry);
    for (const key of keys) this.changePort(key, one, changed);
  }

  private changePort(key: string, one: 1 | -1, changed: HostChanges): void {
    const count = (this.ports.get(key) ?? 0) + one;
    if (count === 0) this.ports.delete(key);
    else this.ports.set(key, count);
    changed.ports.add(key);
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

  private addWide(match: PacketMatch & Pick<InterceptRule, 'iif'>, bit: number): void {
    const { family, protocol } = match;
    const any = family === 4 ? '0.0.0.0/0' : '::/0';
    for (const prefix of prefixesOf(match.daddr ?? any, family)) this.tries[`dst${family}`].at(prefix).setBit(bit);
    for (const prefix of prefixesOf(match.saddr ?? any, family)) this.tries[`src${family}`].at(prefix).setBit(bit);
    for (const words of this.protocolsOf(match.iif)) fill(words, protocol ?? 0, protocol ?? 255, bit);
    addPortBits(this.sports, match.sport, match, bit);
    addPortBits(this.dports, match.dport, match, bit);
  }
}

/** The rule, unless it is about another device. Of a single device it is about all packets. */
function rulesHere(rule: InterceptRule, devices: readonly string[]): InterceptRule[] {
  const { iif, ...everywhere } = rule;
  if (iif === undefined || (devices.length === 1 && iif === devices[0])) return [everywhere];
  return devices.includes(iif) ? [rule] : [];
}

/** What the maps must follow: entries by side and key, and keys of the port table. */
export interface HostChanges {
  readonly entries: Readonly<Record<Side, Map<string, TrieEntry>>>;
  readonly ports: Set<string>;
}

export function noChanges(): HostChanges {
  return { entries: { dst4: new Map(), src4: new Map(), dst6: new Map(), src6: new Map() }, ports: new Set() };
}

/** A rule about one address, on every device, that needs no rule bit. */
export interface HostRule {
  readonly side: Side;
  readonly prefix: Prefix;
  readonly flag: number;
  /** Keys of the port table. */
  readonly keys: readonly string[];
}

/** Such rules that came and went. */
export interface HostDelta {
  readonly added: readonly HostRule[];
  readonly removed: readonly HostRule[];
}

/** The rules, if each is about one address; undefined: another rule is among them. */
export function hostDelta(added: readonly InterceptRule[], removed: readonly InterceptRule[]): HostDelta | undefined {
  const delta = { added: added.map(hostRuleOf), removed: removed.map(hostRuleOf) };
  const isWhole = [...delta.added, ...delta.removed].every((rule) => rule !== undefined);
  return isWhole ? (delta as HostDelta) : undefined;
}

function hostRuleOf(rule: InterceptRule): HostRule | undefined {
  if (rule.iif !== undefined || rule.kind === 'icmpError') return undefined;
  if (rule.kind === 'arp') return hostOf(rule.target, isIPv6(rule.target) ? 'dst6' : 'dst4', ARP_TARGET);
  const { family, saddr, daddr, protocol, sport = [], dport = [] } = rule;
  const [address, which, ports, others] =
    daddr === undefined ? ([saddr, 'src', sport, dport] as const) : ([daddr, 'dst', dport, sport] as const);
  if (address === undefined || (saddr !== undefined && daddr !== undefined) || others.length > 0) return undefined;
  const side: Side = `${which}${family}`;
  if (protocol === undefined) return ports.length === 0 ? hostOf(address, side, WHOLE) : undefined;
  const few = portsOf(ports);
  const host = hostOf(address, side, PORTS);
  if (few === undefined || host === undefined) return undefined;
  return { ...host, keys: portKeys(side, host.prefix.address, protocol, few) };
}

function hostOf(address: string, side: Side, flag: number): HostRule | undefined {
  const [prefix, ...more] = prefixesOf(address, side.endsWith('4') ? 4 : 6);
  if (prefix === undefined || more.length > 0 || !isHost(prefix)) return undefined;
  return { side, prefix, flag, keys: [] };
}

/** The keys of the ports; without ports, that of any port. Fragments have one of their own. */
function portKeys(side: Side, address: Uint8Array, protocol: number, ports: readonly number[]): string[] {
  const number = SIDES.indexOf(side);
  const keys = (ports.length === 0 ? [0] : ports).map((port) => portKey(address, port, protocol, number));
  return [...keys, portKey(address, 0, protocol, number | FRAGMENT)];
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

const scratch = Buffer.alloc(PORT_KEY);

function portKey(address: Uint8Array, port: number, protocol: number, side: number): string {
  scratch.fill(0, address.length, 16);
  scratch.set(address);
  scratch[16] = port >> 8;
  scratch[17] = port;
  scratch[18] = protocol;
  scratch[19] = side;
  return scratch.toString('hex');
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

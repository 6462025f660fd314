/**
 * InterceptTable: what the maps of all devices must hold for a list of intercept rules, as plain
 * data. Simple rules about single addresses come and go one by one; for others it is made anew.
 *
 *     rule                                          becomes
 *     daddr (or saddr) alone                        WHOLE in the trie
 *     one address, protocol, a few ports or none    PORTS, fragments in the trie; keys of the port table
 *     anything else                                 a rule bit: in the tries by its addresses, by protocol, by port
 *     a rule about one device of several (iif)      a rule bit: that of its protocol is set for the device alone
 *     icmpError                                     a flag for its family, whatever the error is about
 *     arp                                           ARP_TARGET in the trie
 */

import { isIPv6 } from '../../wire/address.js';
import { DeviceError } from '../error.js';
import { prefixesOf } from '../intercept/address-range.js';
import type { InterceptRule, PacketMatch, PortRange } from '../intercept/rule.js';
import { eachPortKey, type HostRule, isHost, portsOf } from './host-rule.js';
import { KeyCounts, KeyList } from './key-counts.js';
import {
  ARP_TARGET,
  ICMP_ERRORS_4,
  ICMP_ERRORS_6,
  NO_PORT,
  PORT_ENTRIES,
  PORTS,
  PROTOCOL_ENTRIES,
  RULE_BITS,
  SIDES,
  type Side,
  WHOLE,
  WITH_PORTS,
} from './layout.js';
import { replyAddress, replyProtocol } from './reply-key.js';
import { Trie, type TrieEntry, type TrieKey } from './trie.js';

export class InterceptTable {
  readonly tries: Readonly<Record<Side, Trie>> = {
    dst4: new Trie(4),
    src4: new Trie(4),
    dst6: new Trie(6),
    src6: new Trie(6),
  };
  /** Keys of the port table. */
  readonly ports = new KeyCounts();
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
    this.flag(side, text, PORTS, protocol);
    eachPortKey(side, address, { protocol, ports }, (key) => void this.ports.add(key));
  }

  private flag(side: Side, text: string, flag: number, protocol?: number): void {
    for (const prefix of prefixesOf(text, side.endsWith('4') ? 4 : 6)) this.tries[side].at(prefix).hold(flag, protocol);
  }

  /**
   * Adds or removes a rule. `changed` gets the entry and the port keys that the maps must follow.
   */
  changeHost(host: HostRule, one: 1 | -1, changed: HostChanges): void {
    const { side, prefix, flag, few } = host;
    const entry = this.tries[side].at(prefix);
    entry.hold(flag, few?.protocol, one);
    this.noteEntry(side, entry, changed);
    if (few !== undefined) eachPortKey(side, prefix.address, few, (key) => this.changePort(key, 0, one, changed));
  }

  /** The same for rules about replies. */
  changeReplies(keys: KeyList, one: 1 | -1, changed: HostChanges): void {
    keys.each((words, at) => {
      const entry = this.tries.src4.of(replyAddress(words, at));
      entry.hold(PORTS, replyProtocol(words, at), one);
      this.noteEntry('src4', entry, changed);
      this.changePort(words, at, one, changed);
    });
  }

  private noteEntry(side: Side, entry: TrieEntry, changed: HostChanges): void {
    const trie = this.tries[side];
    trie.adopt(entry);
    if (entry.isEmpty) trie.entries.delete(entry.key);
    changed.entries[side].set(entry.key, entry);
  }

  private changePort(words: Int32Array, at: number, one: 1 | -1, changed: HostChanges): void {
    const count = one === 1 ? this.ports.add(words, at) : this.ports.remove(words, at);
    if (count === (one === 1 ? 1 : 0)) changed.ports.push(words, at);
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

/**
 * What the maps must follow: entries by side and key, and keys of the port table that came or went;
 * one that did both is there twice.
 */
export interface HostChanges {
  readonly entries: Readonly<Record<Side, Map<TrieKey, TrieEntry>>>;
  readonly ports: KeyList;
}

export function noChanges(): HostChanges {
  return { entries: { dst4: new Map(), src4: new Map(), dst6: new Map(), src6: new Map() }, ports: new KeyList() };
}

function textOf(rule: InterceptRule): string {
  return JSON.stringify(rule);
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

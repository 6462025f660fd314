/**
 * Options of mark rules: one row for each, with its spellings, whether `!` may negate it, and its
 * reader.
 */

import { didYouMean } from '../text/did-you-mean.js';
import { formatIp, networkOf, parsePrefix } from '../text/prefix.js';
import { type MarkDraft, once, plainProtocol } from './draft.js';
import {
  ANY_PROTOCOL,
  icmpNames,
  MarkRuleError,
  PROTOCOLS,
  parseFlags,
  parseIcmpType,
  parseMarkValue,
  parsePortRange,
  parseProtocol,
} from './words.js';

/** The option being read. */
interface Words {
  /** The option as written. */
  readonly word: string;
  readonly negated: boolean;
  /** The next word, its value. Throws a MarkRuleError when there is none. */
  next(): string;
}

interface MarkOption {
  readonly negatable: boolean;
  readonly read: (draft: MarkDraft, words: Words) => void;
}

const ALL_BITS = 0xffff_ffff;
const PORT_PROTOCOLS = [6, 17, 132];
const MODULES = ['tcp', 'udp', 'sctp', 'icmp', 'icmp6', 'multiport', 'mark', 'comment'];

function wrong(word: string, value: string, right: string): MarkRuleError {
  return new MarkRuleError(`${word}: "${value}" is not ${right}`);
}

function readAddress(key: 'src' | 'dst') {
  return (draft: MarkDraft, { word, negated, next }: Words): void => {
    const text = next();
    if (text.includes(',')) throw new MarkRuleError(`${word} ${text}: a rule takes one address; write a rule for each`);
    const prefix = parsePrefix(text);
    if (!prefix) throw wrong(word, text, 'an IPv4 or IPv6 address or prefix such as 10.0.0.0/8');
    once(draft, key, word, { address: formatIp(networkOf(prefix)), length: prefix.length, negated });
  };
}

function readDevice(draft: MarkDraft, { word, negated, next }: Words): void {
  const name = next();
  if (!/^[^\s/]{1,15}$/.test(name)) throw wrong(word, name, 'a device name (1 to 15 characters)');
  once(draft, 'device', word, { name, negated });
}

function readProtocol(draft: MarkDraft, { word, negated, next }: Words): void {
  const text = next();
  const protocol = parseProtocol(text);
  if (protocol === undefined) {
    throw wrong(
      word,
      text,
      `a protocol${didYouMean(text, Object.keys(PROTOCOLS)) || '; write tcp, udp or a number 0-255'}`,
    );
  }
  if (protocol === ANY_PROTOCOL && negated) throw new MarkRuleError(`! ${word} ${text} matches no packet`);
  if (protocol !== ANY_PROTOCOL) once(draft, 'protocol', word, { protocol, negated });
}

function readModule(draft: MarkDraft, { word, next }: Words): void {
  const name = next();
  const module = name === 'icmpv6' ? 'icmp6' : name;
  if (!MODULES.includes(module))
    throw new MarkRuleError(`${word} ${name}: not a match of mark rules; there are ${MODULES.join(', ')}`);
  draft.modules.add(module);
}

function readComment(draft: MarkDraft, { word, next }: Words): void {
  needsModule(draft, word, 'comment');
  next();
}

function needsModule(draft: MarkDraft, word: string, module: string): void {
  if (!draft.modules.has(module)) throw new MarkRuleError(`${word} needs -m ${module} before it`);
}

function needsPorts(draft: MarkDraft, word: string): void {
  if (PORT_PROTOCOLS.includes(plainProtocol(draft) ?? 0)) return;
  throw new MarkRuleError(`${word} needs -p tcp, -p udp or -p sctp before it`);
}

function readPorts(key: 'sports' | 'dports', many: boolean) {
  return (draft: MarkDraft, { word, negated, next }: Words): void => {
    needsPorts(draft, word);
    if (many) needsModule(draft, word, 'multiport');
    const text = next();
    const ranges = (many ? text.split(',') : [text]).map((part) => {
      const range = parsePortRange(part);
      if (!range) throw wrong(word, part, 'a port 0-65535 or a range such as 8000:8010');
      return range;
    });
    once(draft, key, word, { ranges, negated });
  };
}

function readFlags(draft: MarkDraft, { word, negated, next }: Words): void {
  needsTcp(draft, word);
  const [mask, value] = [next(), next()].map((text) => {
    const flags = parseFlags(text);
    if (flags === undefined) throw wrong(word, text, 'a list of SYN ACK FIN RST URG PSH ALL NONE');
    return flags;
  });
  once(draft, 'tcpFlags', word, { mask: mask!, value: value!, negated });
}

function readSyn(draft: MarkDraft, { word, negated }: Words): void {
  needsTcp(draft, word);
  once(draft, 'tcpFlags', word, { mask: 0x17, value: 0x02, negated });
}

function needsTcp(draft: MarkDraft, word: string): void {
  if (plainProtocol(draft) !== 6) throw new MarkRuleError(`${word} needs -p tcp before it`);
}

function readIcmp(family: 4 | 6) {
  const protocol = family === 4 ? 'icmp' : 'icmpv6';
  return (draft: MarkDraft, { word, negated, next }: Words): void => {
    if (plainProtocol(draft) !== PROTOCOLS[protocol]) throw new MarkRuleError(`${word} needs -p ${protocol} before it`);
    const text = next();
    if (text === 'any' && !negated) return;
    const icmp = parseIcmpType(text, family);
    const hint = didYouMean(text, icmpNames(family)) || '; write a name, a number or type/code';
    if (!icmp) throw wrong(word, text, `a type of ${protocol}${hint}`);
    once(draft, 'icmp', word, { ...icmp, negated });
  };
}

function readMark(draft: MarkDraft, { word, negated, next }: Words): void {
  needsModule(draft, word, 'mark');
  const [value, mask] = markValue(word, next());
  once(draft, 'mark', word, { value, mask: mask ?? ALL_BITS, negated });
}

function markValue(word: string, text: string): readonly [number, number | undefined] {
  const mark = parseMarkValue(text);
  if (!mark) throw wrong(word, text, 'a mark 0-4294967295, decimal or 0x…, with a /mask if need be');
  return mark;
}

/**
 * `bitsOf` returns the bits to clear and to flip. `masked`: value/mask is accepted; the mask is all
 * bits by default.
 */
function readTarget(masked: boolean, bitsOf: (value: number, mask: number) => readonly [number, number]) {
  return (draft: MarkDraft, { word, next }: Words): void => {
    if (!draft.target) throw new MarkRuleError(`${word} needs -j MARK before it`);
    const text = next();
    const [value, mask] = markValue(word, text);
    if (mask !== undefined && !masked) throw new MarkRuleError(`${word} ${text}: ${word} takes no mask`);
    const [clear, flip] = bitsOf(value, mask ?? ALL_BITS);
    once(draft, 'clear', word, clear >>> 0);
    draft.flip = flip >>> 0;
  };
}

function readJump(draft: MarkDraft, { word, next }: Words): void {
  const target = next();
  if (target !== 'MARK') throw new MarkRuleError(`${word} ${target}: the target of a mark rule is MARK`);
  once(draft, 'target', word, true);
}

/** Accepts one value only, which every mark rule has. */
function fixed(right: string) {
  return (_: MarkDraft, { word, next }: Words): void => {
    const value = next();
    if (value !== right) throw new MarkRuleError(`${word} ${value}: mark rules are in ${right}; leave ${word} out`);
  };
}

function rows(words: string, negatable: boolean, read: MarkOption['read']): [string, MarkOption][] {
  return words.split(' ').map((word) => [word, { negatable, read }]);
}

/** The reader of each option, by each of its spellings. */
export const markOptions: Readonly<Record<string, MarkOption>> = Object.fromEntries([
  ...rows('-t --table', false, fixed('mangle')),
  ...rows('-A --append', false, fixed('PREROUTING')),
  ...rows('-i --in-interface', true, readDevice),
  ...rows('-s --source --src', true, readAddress('src')),
  ...rows('-d --destination --dst', true, readAddress('dst')),
  ...rows('-p --protocol --proto', true, readProtocol),
  ...rows('-m --match', false, readModule),
  ...rows('--comment', false, readComment),
  ...rows('--sport --source-port', true, readPorts('sports', false)),
  ...rows('--dport --destination-port', true, readPorts('dports', false)),
  ...rows('--sports --source-ports', true, readPorts('sports', true)),
  ...rows('--dports --destination-ports', true, readPorts('dports', true)),
  ...rows('--tcp-flags', true, readFlags),
  ...rows('--syn', true, readSyn),
  ...rows('--icmp-type', true, readIcmp(4)),
  ...rows('--icmpv6-type', true, readIcmp(6)),
  ...rows('--mark', true, readMark),
  ...rows('-j --jump', false, readJump),
  ...rows(
    '--set-mark',
    false,
    readTarget(true, (value, mask) => [value | mask, value]),
  ),
  ...rows(
    '--set-xmark',
    false,
    readTarget(true, (value, mask) => [mask, value]),
  ),
  ...rows(
    '--or-mark',
    false,
    readTarget(false, (bits) => [bits, bits]),
  ),
  ...rows(
    '--and-mark',
    false,
    readTarget(false, (bits) => [~bits, 0]),
  ),
  ...rows(
    '--xor-mark',
    false,
    readTarget(false, (bits) => [0, bits]),
  ),
]);

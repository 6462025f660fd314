/**
 * Rules about replies from one IPv4 address and port, by TCP, UDP or SCTP. Every masq destination
 * has such a rule, so that there may be hundreds of thousands. They have no objects: such a rule is
 * its key of the port table (layout.ts).
 *
 *     { saddr: 10.0.0.7, protocol: TCP, sport: 80 } ◄──► | 10.0.0.7 | 80 | TCP | src4 |
 */
import { format4, parse4 } from '../../wire/address.js';
import type { InterceptRule } from '../intercept/rule.js';
import { portKey } from './host-rule.js';
import { KeyCounts, type KeyList } from './key-counts.js';
import { FRAGMENT_BITS, SIDES } from './layout.js';

const SIDE = SIDES.indexOf('src4');

const scratch = new Uint8Array(4);

/** The key of a rule. `ipv4` in host order. It is valid until the next call. */
export function replyKey(ipv4: number, port: number, protocol: number): Int32Array {
  for (let i = 0; i < 4; i++) scratch[i] = ipv4 >>> (24 - 8 * i);
  return portKey(scratch, port, protocol, SIDE);
}

/** The key of a rule, which is valid until the next call; undefined: it is another kind of rule. */
export function replyKeyOf(rule: InterceptRule): Int32Array | undefined {
  if (rule.kind !== 'packet' || rule.iif !== undefined) return undefined;
  const { saddr, daddr, protocol, sport, dport } = rule;
  if (saddr === undefined || daddr !== undefined || dport !== undefined || sport?.length !== 1) return undefined;
  const [from, to] = sport[0]!;
  if (from !== to || from === 0 || protocol === undefined || !FRAGMENT_BITS.includes(protocol)) return undefined;
  const ipv4 = parse4(saddr);
  return ipv4 === undefined ? undefined : replyKey(ipv4, from, protocol);
}

/** The address in a key, in host order. */
export function replyAddress(words: Int32Array, at: number): number {
  const word = words[at]!;
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/** The protocol in a key. */
export function replyProtocol(words: Int32Array, at: number): number {
  return (words[at + 4]! >>> 16) & 0xff;
}

function replyPort(words: Int32Array, at: number): number {
  const word = words[at + 4]!;
  return ((word & 0xff) << 8) | ((word >>> 8) & 0xff);
}

/** The rules of these keys. */
export function replyRules(keys: KeyList): InterceptRule[] {
  const rules: InterceptRule[] = [];
  keys.each((words, at) => {
    const port = replyPort(words, at);
    rules.push({
      kind: 'packet',
      family: 4,
      saddr: format4(replyAddress(words, at)),
      protocol: replyProtocol(words, at),
      sport: [[port, port]],
    });
  });
  return rules;
}

/** Such rules that came and went. */
export interface ReplyDelta {
  readonly came: KeyList;
  readonly went: KeyList;
}

/** Leaves out rules that came and went, or went and came: nothing has changed for them. */
export function withoutReturned({ came, went }: ReplyDelta): ReplyDelta {
  if (came.length === 0 || went.length === 0) return { came, went };
  const [added, removed] = [new KeyCounts(), new KeyCounts()];
  came.each((words, at) => void added.add(words, at));
  went.each((words, at) => void (added.has(words, at) ? added.remove(words, at) : removed.add(words, at)));
  return { came: added.lackingIn(), went: removed.lackingIn() };
}

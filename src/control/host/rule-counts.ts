/**
 * How many services, destinations and settings an intercept rule follows from. Most rules are about
 * replies from one IPv4 address and port, and there may be hundreds of thousands: they are counted
 * in typed arrays. A number of 50 bits as the key of a Map would be an object for V8, and its hash
 * slow.
 */
import type { InterceptRule } from '../../device/intercept/rule.js';
import { KEY_WORDS, KeyCounts } from '../../device/xdp/key-counts.js';
import { parse4 } from '../../wire/address.js';

export class RuleCounts {
  /** Of replies from one IPv4 address and port, by address, port and protocol. */
  private readonly replies = new KeyCounts();
  /** Of all others, by textOf. */
  private readonly others = new Map<string, number>();

  /** One more. Returns their number. */
  add(rule: InterceptRule): number {
    if (isReply(rule)) return this.replies.add(scratch);
    const text = textOf(rule);
    const count = (this.others.get(text) ?? 0) + 1;
    this.others.set(text, count);
    return count;
  }

  /** One less, of one at least. Returns their number. */
  remove(rule: InterceptRule): number {
    if (isReply(rule)) return this.replies.remove(scratch);
    const text = textOf(rule);
    const count = this.others.get(text)! - 1;
    if (count > 0) this.others.set(text, count);
    else this.others.delete(text);
    return count;
  }
}

/** What tells rules apart. */
export function textOf(rule: InterceptRule): string {
  if (!isFromOne(rule)) return JSON.stringify(rule);
  // JSON takes three times as long, and IPv6 has as many.
  return [rule.family, rule.saddr, rule.protocol, String(rule.sport ?? '')].join(' ');
}

/** Returns true for a rule about packets of a source, whatever their destination and interface. */
function isFromOne(rule: InterceptRule): rule is InterceptRule & { kind: 'packet' } {
  return rule.kind === 'packet' && rule.daddr === undefined && rule.iif === undefined && rule.dport === undefined;
}

const scratch = new Int32Array(KEY_WORDS);

/** Returns true when the rule is about such replies; `scratch` has its key then. */
function isReply(rule: InterceptRule): boolean {
  if (!isFromOne(rule)) return false;
  const { saddr, protocol, sport } = rule;
  const ports = sport?.length === 1 ? sport[0]! : undefined;
  if (ports === undefined || ports[0] !== ports[1] || saddr === undefined || protocol === undefined) return false;
  const ipv4 = parse4(saddr);
  if (ipv4 === undefined) return false;
  scratch[0] = ipv4;
  scratch[1] = ports[0];
  scratch[2] = protocol;
  return true;
}

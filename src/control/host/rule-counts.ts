/**
 * How many services, destinations and settings each intercept rule follows from, and which rules
 * came and went. Most rules are about replies from one IPv4 address and port: they are keys in
 * typed arrays (reply-key.ts).
 *
 *     hold, drop ─► count of the rule ─ 0 → 1: came, 1 → 0: went ─► take
 */
import type { InterceptRule } from '../../device/intercept/rule.js';
import { KeyCounts, KeyList } from '../../device/xdp/key-counts.js';
import * as replyKeys from '../../device/xdp/reply-key.js';

/** Rules that came and went. */
export interface RuleDelta {
  readonly added: readonly InterceptRule[];
  readonly removed: readonly InterceptRule[];
}

/** The same where those about replies from one IPv4 address and port are apart. */
export interface InterceptDelta extends RuleDelta {
  readonly replies: replyKeys.ReplyDelta;
}

/** Number of rules. */
export function lengthOf({ added, removed, replies: { came, went } }: InterceptDelta): number {
  return added.length + removed.length + came.length + went.length;
}

/** All rules as objects. */
export function allRules({ added, removed, replies: { came, went } }: InterceptDelta): RuleDelta {
  return {
    added: [...added, ...replyKeys.replyRules(came)],
    removed: [...removed, ...replyKeys.replyRules(went)],
  };
}

export class RuleCounts {
  private readonly replies = new KeyCounts();
  /** All others, by textOf. */
  private readonly others = new Map<string, number>();
  /** Since the last `take`. */
  private added: InterceptRule[] = [];
  private removed: InterceptRule[] = [];
  private came = new KeyList();
  private went = new KeyList();

  /** Something more needs the rule. */
  hold(rule: InterceptRule): void {
    const reply = replyKeys.replyKeyOf(rule);
    if (reply !== undefined) return this.holdReply(reply);
    const text = textOf(rule);
    const count = (this.others.get(text) ?? 0) + 1;
    this.others.set(text, count);
    if (count === 1) this.added.push(rule);
  }

  /** Something less needs the rule, of one at least. */
  drop(rule: InterceptRule): void {
    const reply = replyKeys.replyKeyOf(rule);
    if (reply !== undefined) return this.dropReply(reply);
    const text = textOf(rule);
    const count = this.others.get(text)! - 1;
    if (count > 0) this.others.set(text, count);
    else this.others.delete(text);
    if (count === 0) this.removed.push(rule);
  }

  /** As `hold`, by the key of the rule. */
  holdReply(key: Int32Array): void {
    if (this.replies.add(key) === 1) this.came.push(key);
  }

  /** As `drop`, by the key of the rule. */
  dropReply(key: Int32Array): void {
    if (this.replies.remove(key) === 0) this.went.push(key);
  }

  /** The rules that came and went since the last call. */
  take(): InterceptDelta {
    const { added, removed, came, went } = this;
    [this.added, this.removed, this.came, this.went] = [[], [], new KeyList(), new KeyList()];
    return { ...withoutReturned(added, removed), replies: replyKeys.withoutReturned({ came, went }) };
  }
}

/**
 * Leaves out rules that came and went, or went and came: they are in both lists equally often.
 */
function withoutReturned(added: readonly InterceptRule[], removed: readonly InterceptRule[]): RuleDelta {
  if (added.length === 0 || removed.length === 0) return { added, removed };
  const balance = new Map<string, number>();
  const count = (rules: readonly InterceptRule[], one: number) => {
    for (const rule of rules) balance.set(textOf(rule), (balance.get(textOf(rule)) ?? 0) + one);
  };
  count(added, 1);
  count(removed, -1);
  const left = (rules: readonly InterceptRule[], sign: number) => [
    ...new Map(
      rules.map((rule) => [textOf(rule), rule] as const).filter(([text]) => balance.get(text) === sign),
    ).values(),
  ];
  return { added: left(added, 1), removed: left(removed, -1) };
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

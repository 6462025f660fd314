/** Counts of intercept rules: equal rules have one count, whatever table holds it. */
import { expect, it } from 'vitest';
import { allRules, RuleCounts, textOf } from '../../../src/control/host/rule-counts.js';
import type { InterceptRule } from '../../../src/device/intercept/rule.js';

const reply = { kind: 'packet', family: 4, saddr: '10.1.0.1', protocol: 6, sport: [[80, 80]] } as const;
/** Each differs from `reply` and from the others. */
const different: readonly InterceptRule[] = [
  reply,
  { ...reply, saddr: '10.1.0.2' },
  { ...reply, protocol: 17 },
  { ...reply, sport: [[81, 81]] },
  { ...reply, sport: [[80, 81]] },
  { ...reply, sport: [] },
  { ...reply, saddr: '10.1.0.0/24' },
  { ...reply, family: 6, saddr: '2001:db8::1' },
  { ...reply, iif: 'eth0' },
  { ...reply, dport: [[80, 80]] },
  { kind: 'packet', family: 4, daddr: '10.1.0.1', protocol: 6, dport: [[80, 80]] },
  { kind: 'arp', target: '10.1.0.1' },
  { kind: 'icmpError', about: { family: 4 } },
];

const texts = (rules: readonly InterceptRule[]) => rules.map(textOf).sort();
const each = (what: (rule: InterceptRule) => void) => {
  for (const rule of different) what({ ...rule });
};

it('counts each rule by itself', () => {
  const counts = new RuleCounts();
  const change = () => {
    const { added, removed } = allRules(counts.take());
    return [texts(added), texts(removed)];
  };
  each((rule) => counts.hold(rule));
  expect(change()).toEqual([texts(different), []]);
  each((rule) => counts.hold(rule));
  each((rule) => counts.drop(rule));
  expect(change()).toEqual([[], []]);
  each((rule) => counts.drop(rule));
  expect(change()).toEqual([[], texts(different)]);
});

it('leaves out what came and went since the last time', () => {
  const counts = new RuleCounts();
  for (let i = 0; i < 2; i++) {
    each((rule) => counts.hold(rule));
    each((rule) => counts.drop(rule));
  }
  each((rule) => counts.hold(rule));
  expect(texts(allRules(counts.take()).added)).toEqual(texts(different));
  for (let i = 0; i < 2; i++) {
    each((rule) => counts.drop(rule));
    each((rule) => counts.hold(rule));
  }
  expect(allRules(counts.take())).toEqual({ added: [], removed: [] });
});

it('keeps replies from one IPv4 address and port apart, without an object', () => {
  const counts = new RuleCounts();
  each((rule) => counts.hold(rule));
  const { added, replies } = counts.take();
  expect(replies.came.length).toBe(4);
  expect(added.length).toBe(different.length - 4);
});

it('has a text of its own for each', () => {
  expect(new Set(different.map(textOf)).size).toBe(different.length);
});

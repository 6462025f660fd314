/** Counts of intercept rules: equal rules have one count, whatever table holds it. */
import { expect, it } from 'vitest';
import { RuleCounts, textOf } from '../../../src/control/host/rule-counts.js';
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

it('counts each rule by itself', () => {
  const counts = new RuleCounts();
  for (const one of [1, 2, 3]) for (const rule of different) expect(counts.add({ ...rule })).toBe(one);
  for (const left of [2, 1, 0]) for (const rule of different) expect(counts.remove({ ...rule })).toBe(left);
  for (const rule of different) expect(counts.add(rule)).toBe(1);
});

it('has a text of its own for each', () => {
  expect(new Set(different.map(textOf)).size).toBe(different.length);
});

/** Tests the schedulers that hash: dh, sh and mh. */
import { describe, expect, it } from 'vitest';
import { hash32 } from '../../src/schedulers/hash.js';
import { SLOTS } from '../../src/schedulers/mh.js';
import { SVC_SCHED1, SVC_SCHED2 } from '../../src/service/config.js';
import { parse4 } from '../../src/wire/address.js';
import { from, Stand, to } from './service.js';

const clients = Array.from({ length: 4000 }, (_, i) => `10.${i % 7}.${i % 251}.${i % 239}`);
const choices = (stand: Stand): string[] => clients.map((client) => stand.choose(from(client)));
const count = (names: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};

describe('dh', () => {
  const dests = Array.from({ length: 40 }, (_, i) => `203.0.113.${i}`);
  it('fills its buckets from the newest on, whatever the weights', () => {
    const stand = new Stand('dh', [1, 50, 3]);
    for (const dst of dests) expect(stand.choose(to(dst))).toBe('cba'[hash32(parse4(dst)!, 8) % 3]);
  });
  it('has nobody else for the addresses of the quiesced and the overloaded', () => {
    const stand = new Stand('dh', [1, 1, 1]);
    stand.edit('b', 0);
    stand.dest('a').overloaded = true;
    for (const dst of dests) expect(stand.choose(to(dst))).toBe('c--'[hash32(parse4(dst)!, 8) % 3]);
  });
  it('folds IPv6 addresses', () => {
    const stand = new Stand('dh', [1, 1, 1]);
    expect(stand.choose(to('2001:db8::5'))).toBe('cba'[hash32(0x20010db8 ^ 5, 8) % 3]);
  });
  it('spreads anew when one comes or goes, and has nobody in the end', () => {
    const stand = new Stand('dh', [1, 1]);
    stand.remove('b');
    expect(new Set(dests.map((dst) => stand.choose(to(dst))))).toEqual(new Set(['a']));
    stand.remove('a');
    expect(stand.choose(to('203.0.113.1'))).toBe('-');
  });
});

describe.each(['sh', 'mh'])('%s', (name) => {
  it('gives a client the same destination whatever its port, unless the port counts', () => {
    const stand = new Stand(name, [1, 1, 1, 1, 1]);
    const ports = () => new Set(Array.from({ length: 64 }, (_, i) => stand.choose(from('10.1.2.3', 1024 + i))));
    expect(ports().size).toBe(1);
    stand.service.flags = SVC_SCHED2;
    expect(ports().size).toBe(5);
  });
  it('has nobody for the clients of a quiesced one, or others with fallback, and the same after it', () => {
    const stand = new Stand(name, [1, 1, 1, 1]);
    stand.change(name);
    const before = choices(stand);
    stand.dest('b').overloaded = true;
    expect(choices(stand)).toEqual(before.map((was) => (was === 'b' ? '-' : was)));
    stand.service.flags = SVC_SCHED1;
    const others = choices(stand);
    expect(others.filter((now, i) => before[i] !== 'b' && now !== before[i])).toEqual([]);
    expect(new Set(others)).toEqual(new Set(['a', 'c', 'd']));
    stand.dest('b').overloaded = false;
    expect(choices(stand)).toEqual(before);
  });
  it('finds nobody when nobody is left, with fallback too', () => {
    const stand = new Stand(name, [1, 1]);
    stand.service.flags = SVC_SCHED1;
    for (const one of 'ab') stand.dest(one).overloaded = true;
    expect(stand.choose()).toBe('-');
    expect(new Stand(name).choose()).toBe('-');
  });
  it('gives shares by weight', () => {
    const counts = count(choices(new Stand(name, [1, 3, 2, 2])));
    for (const [i, weight] of [1, 3, 2, 2].entries()) {
      const share = counts.get('abcd'[i]!)! / clients.length / (weight / 8);
      expect(share).toBeGreaterThan(0.8);
      expect(share).toBeLessThan(1.2);
    }
  });
});

describe('mh', () => {
  const names = Array.from({ length: 100 }, (_, i) => `s${i}`);
  const hundred = (): Stand => {
    const stand = new Stand('mh');
    for (const name of names) stand.add(name, 1);
    return stand;
  };

  /** How many clients move, over how many must, when `leave` has been done to one of a hundred. */
  function disruption(leave: (stand: Stand, name: string) => void): number {
    const before = choices(hundred());
    let must = 0;
    let moved = 0;
    for (const gone of ['s0', 's17', 's50', 's83', 's99']) {
      const stand = hundred();
      leave(stand, gone);
      const after = choices(stand);
      must += before.filter((name) => name === gone).length;
      moved += before.filter((name, i) => name !== after[i]).length;
      expect(after).not.toContain(gone);
    }
    expect(must).toBeGreaterThan(100);
    return moved / must;
  }
  it('moves only those clients that must, when one of a hundred is quiesced or overloaded, with fallback', () => {
    const quiesce = (stand: Stand, name: string) => {
      stand.service.flags = SVC_SCHED1;
      stand.edit(name, 0);
    };
    const overload = (stand: Stand, name: string) => {
      stand.service.flags = SVC_SCHED1;
      stand.dest(name).overloaded = true;
    };
    expect(disruption(quiesce)).toBe(1);
    expect(disruption(overload)).toBe(1);
  });
  it('moves about four times as many when one is removed, as the kernel does with its 4093 slots', () => {
    expect(disruption((stand, name) => stand.remove(name))).toBeLessThan(4.3);
  });
  it('gives each of a hundred its hundredth of the slots, give or take one', { timeout: 120_000 }, () => {
    const stand = hundred();
    const slots = Array.from({ length: 400_000 }, (_, i) => i);
    const counts = count(slots.map((i) => stand.choose(from(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`))));
    for (const name of names)
      expect(Math.abs((counts.get(name)! * SLOTS) / slots.length / 40.93 - 1)).toBeLessThan(0.08);
  });
  it('keeps the slots of the quiesced, but gives none to who never had a weight', () => {
    const stand = new Stand('mh', [2, 2, 0]);
    const before = choices(stand);
    expect(new Set(before)).toEqual(new Set(['a', 'b']));
    stand.edit('a', 0);
    expect(choices(stand)).toEqual(before.map((was) => (was === 'a' ? '-' : was)));
    stand.edit('a', 2);
    expect(choices(stand)).toEqual(before);
  });
  it('has no table when no weight was ever above 0', () => {
    expect(new Stand('mh', [0, 0]).choose()).toBe('-');
  });
  it('shares by weight though a weight is huge, down to one turn in 32 to 63', () => {
    const counts = count(choices(new Stand('mh', [2_147_483_647, 1])));
    expect(counts.get('b')! / clients.length).toBeGreaterThan(1 / 80);
    expect(counts.get('b')! / clients.length).toBeLessThan(1 / 25);
  });
});

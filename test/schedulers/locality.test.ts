/** Tests lblc and lblcr, and their cache of addresses. */
import { describe, expect, it } from 'vitest';
import { AddressCache, LIMIT, MAX } from '../../src/schedulers/address-cache.js';
import type { Arrival } from '../../src/service/service.js';
import { Stand, to } from './service.js';

const [X, Y] = [to('203.0.113.1'), to('203.0.113.2')];

describe.each(['lblc', 'lblcr'])('%s', (name) => {
  it('keeps an address where wlc put it', () => {
    const stand = new Stand(name, [1, 1]);
    expect(stand.choose(X)).toBe('b');
    stand.load('b', 1);
    expect(stand.choose(Y)).toBe('a');
    expect(stand.choose(X)).toBe('b');
  });
  it('moves it when its destination is strained and somebody has less than half of his weight', () => {
    const stand = new Stand(name, [4, 2]);
    expect(stand.choose(X)).toBe('b');
    stand.load('b', 3);
    stand.load('a', 2);
    expect(stand.choose(X)).toBe('b');
    stand.load('a', 1);
    expect(stand.choose(X)).toBe('a');
  });
  it('moves it when its destination is quiesced or gone; back comes who is the same', () => {
    const stand = new Stand(name, [1, 1]);
    expect(stand.choose(X)).toBe('b');
    stand.edit('b', 0);
    expect(stand.choose(X)).toBe('a');
    expect(stand.choose(Y)).toBe('a');
    stand.remove('a');
    expect(stand.choose(Y)).toBe('-');
    stand.add('a', 1);
    expect(stand.choose(Y)).toBe('a');
  });
  it('tells IPv6 addresses apart', () => {
    const stand = new Stand(name, [1, 1]);
    expect(stand.choose(to('2001:db8::1'))).toBe('b');
    stand.load('b', 1);
    // Folded, they are the same word.
    expect(stand.choose(to('2001:db8:0:1::'))).toBe('a');
    expect(stand.choose(to('2001:db8::1'))).toBe('b');
  });
  it('forgets in the half-hourly sweep what nobody asked for', () => {
    const stand = new Stand(name, [1, 1]);
    Object.assign(stand.sysctl, { lblc_expiration: 100, lblcr_expiration: 100 });
    stand.load('b', 1);
    expect(stand.choose(X, 0)).toBe('a');
    stand.load('b', 0);
    for (let minute = 1; minute < 30; minute++) stand.service.schedule.sweep!(minute * 60_000);
    expect(stand.choose(X, 1_750_000)).toBe('a');
    stand.service.schedule.sweep!(1_800_000);
    expect(stand.choose(X, 1_800_000)).toBe('a');
    for (let minute = 31; minute <= 60; minute++) stand.service.schedule.sweep!(minute * 60_000);
    expect(stand.choose(X, 3_600_000)).toBe('b');
  });
});

describe('an overloaded destination', () => {
  it('keeps its addresses with lblc, not with lblcr', () => {
    for (const [name, then] of [
      ['lblc', 'b'],
      ['lblcr', 'a'],
    ] as const) {
      const stand = new Stand(name, [1, 1]);
      expect(stand.choose(X)).toBe('b');
      stand.dest('b').overloaded = true;
      expect(stand.choose(X)).toBe(then);
    }
  });
});

describe('a set of lblcr', () => {
  it('grows under strain, takes its least loaded, and shrinks by its most loaded after a rest', () => {
    const stand = new Stand('lblcr', [2, 2, 8]);
    stand.sysctl.lblcr_expiration = 10;
    expect(stand.choose(X, 0)).toBe('c');
    stand.load('c', 9);
    expect(stand.choose(X, 1000)).toBe('b');
    stand.load('b', 1);
    expect(stand.choose(X, 2000)).toBe('b');
    stand.load('b', 2);
    stand.load('c', 1);
    expect(stand.choose(X, 11_000)).toBe('c');
    // b, the most loaded, leaves the set. c stays.
    expect(stand.choose(X, 11_001)).toBe('c');
    stand.load('c', 8);
    stand.load('b', 0);
    expect(stand.choose(X, 11_002)).toBe('c');
  });
});

describe('a set that shrinks', () => {
  it('loses its most loaded, but not a quiesced one', () => {
    const stand = new Stand('lblcr', [2, 2]);
    stand.sysctl.lblcr_expiration = 10;
    expect(stand.choose(X, 0)).toBe('b');
    stand.load('b', 9);
    expect(stand.choose(X, 1)).toBe('a');
    stand.edit('b', 0);
    expect(stand.choose(X, 20_000)).toBe('a');
    // a has left the set, b is back. b is the only member, and no destination is idle enough to
    // make b overloaded.
    stand.edit('b', 9);
    stand.load('a', 1);
    expect(stand.choose(X, 20_001)).toBe('b');
  });
});

describe('AddressCache', () => {
  const address = (i: number): Arrival => to(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  const filled = (n: number): AddressCache => {
    const cache = new AddressCache();
    for (let i = 0; i < n; i++) cache.add(address(i), i < 1000 ? 1000 : 0);
    return cache;
  };

  it('finds what was added and nothing else, and counts', () => {
    const cache = filled(5000);
    const slots = new Set(Array.from({ length: 5000 }, (_, i) => cache.find(address(i), 1)));
    expect(slots.size).toBe(5000);
    expect(slots.has(0)).toBe(false);
    expect(cache.find(address(5000), 1)).toBe(0);
    expect(cache.find(to('11.0.0.1'), 1)).toBe(0);
    expect(cache.size).toBe(5000);
  });
  it('takes no more than its limit', () => {
    const cache = filled(LIMIT + 10);
    expect(cache.size).toBe(LIMIT);
    expect(cache.find(address(LIMIT), 0)).toBe(0);
  });
  it('drops, over its maximum, four thirds of what is too much, of what was idle for six minutes', () => {
    const cache = filled(MAX + 300);
    cache.sweep(360_000 - 1, 86_400_000);
    expect(cache.size).toBe(MAX + 300);
    cache.sweep(360_000, 86_400_000);
    expect(cache.size).toBeLessThanOrEqual(MAX - 100);
    expect(cache.size).toBeGreaterThan(MAX - 150);
    cache.sweep(360_000, 86_400_000);
    expect(cache.size).toBeGreaterThan(MAX - 150);
  });
  it('gives freed slots again and finds the survivors', () => {
    const cache = filled(2000);
    for (let minute = 0; minute < 30; minute++) cache.sweep(1500, 501);
    expect(cache.size).toBe(1000);
    for (let i = 0; i < 1000; i++) expect(cache.find(address(i), 1500)).not.toBe(0);
    const again = new Set(Array.from({ length: 1000 }, (_, i) => cache.add(address(1000 + i), 1500)));
    expect(again.size).toBe(1000);
    expect(Math.max(...again)).toBeLessThanOrEqual(2000);
    for (let i = 0; i < 2000; i++) expect(cache.find(address(i), 1500)).not.toBe(0);
  });
});

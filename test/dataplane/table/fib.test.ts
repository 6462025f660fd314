/** Tests the table of IPv4 prefixes (Fib4) against a search through the list. */
import { describe, expect, it } from 'vitest';
import { chainedFib, Fib4, fibOf, type Prefix4 } from '../../../src/dataplane/table/fib.js';
import { covers } from '../../../src/dataplane/table/route-data.js';
import { parse4 } from '../../../src/wire/address.js';
import { Random } from '../../support/seed.js';

function prefix(text: string): Prefix4 {
  const [address, length] = text.split('/');
  return { words: Int32Array.of(0, 0, 0, parse4(address!)!), length: Number(length) };
}

/** The first prefix in the list that covers the address. */
function naive(prefixes: readonly Prefix4[], address: number): number {
  return prefixes.findIndex((one) => covers(one, Int32Array.of(0, 0, 0, address), 4));
}

describe('Fib4', () => {
  it('answers with the longest prefix, to the edges of each', () => {
    const fib = new Fib4(fibOf(['10.1.2.3/32', '10.1.2.0/24', '10.0.0.0/8', '192.0.0.0/2'].map(prefix)));
    const found = (address: string) => fib.find(parse4(address)!);
    expect(
      ['9.255.255.255', '10.0.0.0', '10.1.2.0', '10.1.2.2', '10.1.2.3', '10.1.2.4', '10.1.3.0'].map(found),
    ).toEqual([-1, 2, 1, 1, 0, 1, 2]);
    expect(['10.255.255.255', '11.0.0.0', '191.255.255.255', '192.0.0.0', '255.255.255.255'].map(found)).toEqual([
      2, -1, -1, 3, 3,
    ]);
  });

  it('has no answer without prefixes, one for all from a default route', () => {
    expect(new Fib4().find(parse4('10.0.0.1')!)).toBe(-1);
    expect([0, -1, 1 << 31].map((address) => new Fib4(fibOf([prefix('0.0.0.0/0')])).find(address))).toEqual([0, 0, 0]);
  });

  it('of equal prefixes takes the first', () => {
    expect(new Fib4(fibOf(['10.0.0.0/8', '10.0.0.0/8', '0.0.0.0/0'].map(prefix))).find(parse4('10.9.9.9')!)).toBe(0);
  });

  it('agrees with a search through the list, on random tables', () => {
    const random = new Random();
    for (let round = 0; round < 200; round++) {
      const prefixes = Array.from({ length: random.below(40) }, () => anyPrefix(random)).sort(
        (a, b) => b.length - a.length,
      );
      const fib = new Fib4(fibOf(prefixes));
      for (const address of interesting(random, prefixes))
        expect(fib.find(address), `seed ${random.seed}, round ${round}, address ${address}`).toBe(
          naive(prefixes, address),
        );
    }
  });

  it('several as one answer like the first of them that has an answer', () => {
    const random = new Random();
    for (let round = 0; round < 100; round++) {
      const lists = Array.from({ length: random.below(4) }, () =>
        Array.from({ length: random.below(10) }, () => anyPrefix(random)).sort((a, b) => b.length - a.length),
      );
      const before = lists.map((_, i) => lists.slice(0, i).reduce((sum, list) => sum + list.length, 0));
      const data = lists.map((list, i) => fibOf(list, before[i]));
      const fibs = data.map((one) => new Fib4(one));
      const chained = new Fib4(chainedFib(data));
      for (const address of interesting(random, lists.flat())) {
        const expected = fibs.map((fib) => fib.find(address)).find((found) => found >= 0) ?? -1;
        expect(chained.find(address), `seed ${random.seed}, round ${round}`).toBe(expected);
      }
    }
  });
});

/** Random prefixes close together, so that they are nested or adjacent. Some have host bits set. */
function anyPrefix(random: Random): Prefix4 {
  const base = random.pick([0x0a000000, 0xc0a80000 | 0, 0xfffffff0 | 0, 0]);
  return { words: Int32Array.of(0, 0, 0, base | (random.u32() & 0xffff)), length: random.between(0, 32) };
}

function interesting(random: Random, prefixes: readonly Prefix4[]): number[] {
  const edges = prefixes.flatMap(({ words, length }) => {
    const mask = length === 0 ? 0 : -1 << (32 - length);
    const first = words[3]! & mask;
    return [first - 1, first, first | ~mask, (first | ~mask) + 1];
  });
  return [...edges, ...random.words(20)].map((address) => address | 0);
}

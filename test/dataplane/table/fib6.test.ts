/** Trees of ranges of IPv6 addresses against a search through the list of prefixes. */
import { describe, expect, it } from 'vitest';
import { Fib6, fibTreeOf, type Prefix6 } from '../../../src/dataplane/table/fib6.js';
import { covers } from '../../../src/dataplane/table/route-data.js';
import { parse6 } from '../../../src/wire/address.js';
import { Random } from '../../support/seed.js';

describe('a tree of IPv6 prefixes', () => {
  it('has no answer without prefixes, and one for every address with ::/0', () => {
    for (const address of ['::', '2001:db8::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']) {
      expect(find([], address)).toBe(-1);
      expect(find(['::/0'], address)).toBe(0);
    }
  });

  it('answers with the first prefix of the list that covers the address, not with the longest', () => {
    const nested = ['2001:db8::1/128', '2001:db8::/32', '2001:db8:5::/48', '::/0'];
    expect(find(nested, '2001:db8::1')).toBe(0);
    expect(find(nested, '2001:db8:5::1')).toBe(1);
    expect(find(nested, '2001:db9::')).toBe(3);
  });

  it('agrees with the list at the edges of random prefixes of every length, as they come and go', () => {
    const random = new Random();
    for (let round = 0; round < 40; round++) {
      const list: Prefix6[] = [];
      for (let step = 0; step < 8; step++) {
        for (let n = random.below(12); n > 0; n--) list.splice(random.below(list.length + 1), 0, anyPrefix(random));
        for (let n = random.below(4); n > 0 && list.length > 0; n--) list.splice(random.below(list.length), 1);
        agrees(random, list, list.flatMap(edges), `round ${round}, step ${step}`);
      }
    }
  });

  it('agrees with the list on a table like that of the internet', () => {
    const random = new Random();
    const list = Array.from({ length: 3000 }, () => ({
      words: Int32Array.of(0x2a000000 | random.below(0x40000), random.below(16) << 16, 0, 0),
      length: random.pick([29, 32, 32, 36, 40, 44, 48, 48, 48, 48, 48]),
    })).sort((a, b) => b.length - a.length);
    agrees(random, list, list.slice(0, 300).flatMap(edges), 'a large table');
  });
});

function find(prefixes: readonly string[], address: string): number {
  const list = prefixes.map((text) => {
    const [ip, length] = text.split('/');
    return { words: parse6(ip!)!, length: Number(length) };
  });
  return fibOf(list).find(parse6(address)!, 0);
}

function fibOf(list: readonly Prefix6[]): Fib6 {
  return new Fib6(
    fibTreeOf(
      list,
      list.map((_, i) => i),
    ),
  );
}

/** The addresses lie in the middle of an array, as the fast path has them, or alone. */
function agrees(random: Random, list: readonly Prefix6[], addresses: readonly Int32Array[], where: string): void {
  const fib = fibOf(list);
  const words = Int32Array.from(random.words(12));
  for (const address of addresses) {
    words.set(address, 4);
    const found = [fib.find(words, 4), fib.find(address, 0)];
    const wanted = list.findIndex((prefix) => covers(prefix, address, 6));
    if (found.some((one) => one !== wanted))
      expect.fail(`seed ${random.seed}, ${where}: ${address} has ${found} instead of ${wanted}`);
  }
}

function number(words: Int32Array): bigint {
  return words.reduce((sum, word) => (sum << 32n) | BigInt(word >>> 0), 0n);
}

function wordsOf(value: bigint): Int32Array {
  return Int32Array.from([96n, 64n, 32n, 0n], (shift) => Number((value >> shift) & 0xffffffffn) | 0);
}

/** The first and last address of a prefix, and their neighbours. */
function edges({ words, length }: Prefix6): Int32Array[] {
  const size = 1n << BigInt(128 - length);
  const first = (number(words) / size) * size;
  return [first - 1n, first, first + size / 2n, first + size - 1n, first + size].map((value) =>
    wordsOf(BigInt.asUintN(128, value)),
  );
}

/** Prefixes close together, so that they are nested, equal or adjacent. Some have host bits set. */
function anyPrefix(random: Random): Prefix6 {
  const words = Int32Array.of(0, 0, 0, 0).map((_, i) =>
    random.pick([0, -1, i === 0 ? 0x20010db8 : 1, random.u32() & 0x10001]),
  );
  return {
    words,
    length: random.pick([random.between(0, 128), 0, 16, 32, 47, 48, 49, 64, 80, 81, 111, 112, 113, 128]),
  };
}

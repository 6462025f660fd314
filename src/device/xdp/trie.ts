/**
 * Trie: the contents of a longest-prefix-match trie before they go to the kernel. The kernel finds
 * only the longest prefix of an address. So `inherit` adds to each prefix the flags and bits of the
 * shorter prefixes that contain it:
 *
 *     0.0.0.0/0     bit 1                     0.0.0.0/0     bit 1
 *     10.0.0.0/8    bit 2           ──►       10.0.0.0/8    bits 1 2
 *     10.1.2.3/32   WHOLE                     10.1.2.3/32   bits 1 2, WHOLE
 */
import type { Prefix } from '../intercept/address-range.js';
import { TRIE_VALUE } from './layout.js';

export class TrieEntry {
  flags = 0;
  readonly bits = new Uint32Array(2);

  constructor(readonly prefix: Prefix) {}

  setBit(bit: number): void {
    this.bits[bit >> 5]! |= 1 << (bit & 31);
  }

  add(other: TrieEntry): void {
    this.flags |= other.flags;
    this.bits[0]! |= other.bits[0]!;
    this.bits[1]! |= other.bits[1]!;
  }

  /** The value for the map: flags and 64 bits, host order. */
  value(): Uint8Array {
    const words = Uint32Array.of(this.flags, 0, this.bits[0]!, this.bits[1]!);
    return new Uint8Array(words.buffer, 0, TRIE_VALUE);
  }
}

export class Trie {
  /** Entries by their key in hex. */
  readonly entries = new Map<string, TrieEntry>();

  /** The trie always has the prefix of length 0, so that every look-up finds an entry. */
  constructor(family: 4 | 6) {
    this.at({ address: new Uint8Array(family === 4 ? 4 : 16), length: 0 });
  }

  /** The entry of a prefix; creates it. */
  at(prefix: Prefix): TrieEntry {
    const key = keyOf(prefix);
    const found = this.entries.get(key) ?? new TrieEntry(prefix);
    this.entries.set(key, found);
    return found;
  }

  /** Adds the contents of shorter prefixes to longer ones. */
  inherit(): void {
    // Shorter prefixes first: they are complete before longer ones read them.
    const all = [...this.entries.values()].sort((a, b) => a.prefix.length - b.prefix.length);
    const lengths = [...new Set(all.map(({ prefix }) => prefix.length))].reverse();
    for (const entry of all) {
      const parent = this.parentOf(entry.prefix, lengths);
      if (parent !== undefined) entry.add(parent);
    }
  }

  /**
   * The longest of the shorter prefixes that contain this one. `lengths`: all lengths in the trie,
   * longest first.
   */
  private parentOf({ address, length }: Prefix, lengths: readonly number[]): TrieEntry | undefined {
    for (const shorter of lengths) {
      if (shorter >= length) continue;
      const found = this.entries.get(keyOf({ address: cut(address, shorter), length: shorter }));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** The first `length` bits, followed by zeros. */
function cut(address: Uint8Array, length: number): Uint8Array {
  return address.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))));
}

function keyOf({ address, length }: Prefix): string {
  const key = Buffer.alloc(4 + address.length);
  key.writeUInt32LE(length);
  key.set(address, 4);
  return key.toString('hex');
}

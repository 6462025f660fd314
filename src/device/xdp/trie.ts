/**
 * A longest-prefix trie's contents before they go to the kernel. The kernel finds only the longest prefix of an address, so
 * `inherit` gives each prefix what the shorter ones that hold it have:
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

  /** As the map holds it: flags and 64 bits, host order. */
  value(): Uint8Array {
    const words = Uint32Array.of(this.flags, 0, this.bits[0]!, this.bits[1]!);
    return new Uint8Array(words.buffer, 0, TRIE_VALUE);
  }
}

export class Trie {
  /** By the map's key in hex. */
  readonly entries = new Map<string, TrieEntry>();

  /** A trie always has its shortest prefix, so that a look-up finds something. */
  constructor(family: 4 | 6) {
    this.at({ address: new Uint8Array(family === 4 ? 4 : 16), length: 0 });
  }

  at(prefix: Prefix): TrieEntry {
    const key = keyOf(prefix);
    const found = this.entries.get(key) ?? new TrieEntry(prefix);
    this.entries.set(key, found);
    return found;
  }

  inherit(): void {
    // Shorter first: what they have is then complete.
    const all = [...this.entries.values()].sort((a, b) => a.prefix.length - b.prefix.length);
    const lengths = [...new Set(all.map(({ prefix }) => prefix.length))].reverse();
    for (const entry of all) {
      const parent = this.parentOf(entry.prefix, lengths);
      if (parent !== undefined) entry.add(parent);
    }
  }

  /** The longest of the shorter prefixes that hold this one; `lengths`: those there are, longest first. */
  private parentOf({ address, length }: Prefix, lengths: readonly number[]): TrieEntry | undefined {
    for (const shorter of lengths) {
      if (shorter >= length) continue;
      const found = this.entries.get(keyOf({ address: cut(address, shorter), length: shorter }));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** The first `length` bits, zeros behind them. */
function cut(address: Uint8Array, length: number): Uint8Array {
  return address.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))));
}

function keyOf({ address, length }: Prefix): string {
  const key = Buffer.alloc(4 + address.length);
  key.writeUInt32LE(length);
  key.set(address, 4);
  return key.toString('hex');
}

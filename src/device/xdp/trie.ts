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
import { isHost } from './host-rule.js';
import { FRAGMENT_BITS, TRIE_VALUE } from './layout.js';

/** Room in `holders` for the rules of one flag. */
const HOLDERS = 2 ** 16;

/**
 * What tells prefixes of one family apart: a single IPv4 address is itself, as int32, for which V8
 * needs no object; of others it is the kernel's key in hex.
 */
export type TrieKey = number | string;

/** An entry. There may be hundreds of thousands: it has numbers only. */
export class TrieEntry {
  /** Rule bits 0–31 and 32–63. */
  private low = 0;
  private high = 0;
  /** Number of rules that need each flag: WHOLE in the last 16 bits, PORTS, ARP_TARGET. */
  private holders = 0;
  /** Number of rules that need fragments, for each bit of FRAGMENT_BITS, as in `holders`. */
  private fragments = 0;
  /** The longest of the shorter prefixes that contain this one; undefined: none. */
  parent: TrieEntry | undefined = undefined;

  constructor(readonly key: TrieKey) {}

  /** Made from the key: an object of its own for each entry would be work for V8's collector. */
  get prefix(): Prefix {
    const [length = 0, , , , ...address] = bytesOf(this.key);
    return { address: Uint8Array.from(address), length };
  }

  /** One more rule needs a flag, and fragments of a protocol. `one` −1: one rule less. */
  hold(flag: number, protocol?: number, one: 1 | -1 = 1): void {
    this.holders += one * HOLDERS ** Math.log2(flag);
    this.fragments += one * fragmentsOf(protocol);
  }

  setBit(bit: number): void {
    if (bit < 32) this.low |= 1 << bit;
    else this.high |= 1 << (bit - 32);
  }

  /** No rule names the prefix. */
  get isEmpty(): boolean {
    return this.low === 0 && this.high === 0 && this.holders === 0;
  }

  /** Writes the value for the map, in host order. `words`: four words at `at`. */
  write(words: Uint32Array, at: number): void {
    words[at]! |= bitsOf(this.holders);
    words[at + 1]! |= bitsOf(this.fragments);
    words[at + 2]! |= this.low;
    words[at + 3]! |= this.high;
    this.parent?.write(words, at);
  }

  /** The value for the map. */
  value(): Uint8Array {
    const words = new Uint32Array(TRIE_VALUE / 4);
    this.write(words, 0);
    return new Uint8Array(words.buffer);
  }
}

/** A bit for each number above 0 among those that one number holds. */
function bitsOf(numbers: number): number {
  let bits = 0;
  for (let place = 0, left = numbers; left > 0; place++, left = Math.floor(left / HOLDERS))
    if (left % HOLDERS > 0) bits |= 1 << place;
  return bits;
}

/** What a rule adds to TrieEntry.fragments. */
function fragmentsOf(protocol: number | undefined): number {
  const bit = protocol === undefined ? -1 : FRAGMENT_BITS.indexOf(protocol);
  return bit < 0 ? 0 : HOLDERS ** bit;
}

export class Trie {
  readonly entries = new Map<TrieKey, TrieEntry>();
  /** All lengths in the trie, longest first. */
  private lengths: readonly number[] = [];
  /** There are single addresses only, and the prefix of length 0. */
  private isFlat = false;

  /** The prefix of length 0 is always there, so that every look-up finds an entry. */
  private readonly root: TrieEntry;

  constructor(family: 4 | 6) {
    this.root = this.at({ address: new Uint8Array(family === 4 ? 4 : 16), length: 0 });
  }

  /** The entry of a prefix; creates it. */
  at(prefix: Prefix): TrieEntry {
    return this.of(keyOf(prefix));
  }

  /** The entry with a key; creates it. */
  of(key: TrieKey): TrieEntry {
    const found = this.entries.get(key);
    if (found !== undefined) return found;
    const entry = new TrieEntry(key);
    this.entries.set(key, entry);
    return entry;
  }

  /** Adds the contents of shorter prefixes to longer ones. Call after prefixes were added. */
  inherit(): void {
    const prefixes = [...this.entries.values()].map(({ prefix }) => prefix);
    this.lengths = [...new Set(prefixes.map(({ length }) => length))].sort((a, b) => b - a);
    this.isFlat = prefixes.every((prefix) => prefix.length === 0 || isHost(prefix));
    for (const entry of this.entries.values()) this.adopt(entry);
  }

  /** As `inherit`, for one entry of full length, which no other entry inherits from. */
  adopt(entry: TrieEntry): void {
    if (!this.isFlat) entry.parent = this.parentOf(entry.prefix);
    else if (entry !== this.root) entry.parent = this.root;
  }

  private parentOf({ address, length }: Prefix): TrieEntry | undefined {
    for (const shorter of this.lengths) {
      if (shorter >= length) continue;
      if (shorter === 0) return this.root;
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

const WHOLE_4 = 32;
/** Bytes of the kernel's key of an IPv4 address, and of the longest key. */
const KEY_4 = 8;
const KEY_6 = 20;

const scratch = Buffer.alloc(KEY_6);

function keyOf({ address, length }: Prefix): TrieKey {
  if (address.length === 4 && length === WHOLE_4)
    return (address[0]! << 24) | (address[1]! << 16) | (address[2]! << 8) | address[3]!;
  scratch[0] = length;
  scratch.set(address, 4);
  return scratch.toString('hex', 0, 4 + address.length);
}

/** Bytes of the kernel's form of a key. */
export function sizeOf(key: TrieKey): number {
  return typeof key === 'number' ? KEY_4 : key.length / 2;
}

/** Writes a key as the kernel has it: the length in host order, then the address. */
export function writeKey(key: TrieKey, into: Uint8Array, at: number): void {
  if (typeof key === 'string') return into.set(Buffer.from(key, 'hex'), at);
  into[at] = WHOLE_4;
  for (let i = 0; i < 4; i++) into[at + 4 + i] = key >>> (24 - 8 * i);
}

function bytesOf(key: TrieKey): Uint8Array {
  const bytes = new Uint8Array(sizeOf(key));
  writeKey(key, bytes, 0);
  return bytes;
}

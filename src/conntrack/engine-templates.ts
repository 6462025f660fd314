/**
 * Templates of persistence engines: found by a run of bytes (the Call-ID of sip) and the client's
 * network. The bytes lie in lines of the table that belong to the template. A keyed hash of the
 * bytes is in the place of the client's address and gives the bucket, so that one client may have
 * any number of dialogues.
 *
 *     entry   0 CADDR: hash         …        13 KEY ─┐           (CONN_ENGINE_KEY)
 *     line    0 caddr   1 engine << 8 | length   2–4 bytes   5 –   6 NEXT ─┐   7–15 bytes
 *     line    0–4 bytes                                      5 –   6 NEXT  │   7–15 bytes
 *                                                                  └ 0     ◄
 *
 * Word 5 (FLAGS) stays 0, so that listings skip the line. For IPv4 the line holds the client's
 * network; an IPv6 template has it in its second line.
 */
import {
  CADDR,
  CONN_ENGINE_KEY,
  CONN_IPV6,
  CONN_TEMPLATE,
  DADDR,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  KEY,
  NEXT,
  PORTS,
  VADDR,
  WIDE_CADDR,
  WIDE_VADDR,
} from './entry.js';
import { same } from './match.js';
import type { ConnectionTable } from './table.js';

/** Words of the first line of a key. */
export const KEY_CADDR = 0;
const KEY_SIZE = 1;
const KEY_BYTES = 2;

/**
 * What a template is found by: one record, filled for each look-up. Addresses are four words, IPv4
 * in the last.
 */
export class TemplateKey {
  family = 4;
  protocol = 0;
  readonly caddr = new Int32Array(4);
  readonly vaddr = new Int32Array(4);
  vport = 0;
  /** Number of the engine; 0: none, and no bytes. */
  engine = 0;
  /** The key is `length` bytes (1 to 255) from `at` on. */
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  length = 0;
}

/** The template with this key, or 0. */
export function findEngineTemplate(table: ConnectionTable, key: TemplateKey): number {
  const { words } = table;
  const hash = hashBytes(table.secret, key);
  for (let entry = table.chain(key.protocol, hash, 0); entry !== 0; entry = table.next(entry)) {
    const at = entry << ENTRY_SHIFT;
    if ((words[at + FLAGS]! & (CONN_TEMPLATE | CONN_ENGINE_KEY)) !== (CONN_TEMPLATE | CONN_ENGINE_KEY)) continue;
    if (words[at + CADDR] === hash && isFor(words, at, key) && hasBytes(words, words[at + KEY]!, key)) return entry;
  }
  return 0;
}

/**
 * Stores the key of a filled entry before its insertion. False: the table is full, and the entry
 * must be freed.
 */
export function setEngineKey(table: ConnectionTable, entry: number, key: TemplateKey): boolean {
  const { words } = table;
  const at = entry << ENTRY_SHIFT;
  words[at + FLAGS]! |= CONN_ENGINE_KEY;
  let line = table.alloc();
  words[at + KEY] = line;
  if (line === 0) return false;
  words[(line << ENTRY_SHIFT) + KEY_CADDR] = key.caddr[3]!;
  words[(line << ENTRY_SHIFT) + KEY_SIZE] = (key.engine << 8) | key.length;
  let word = KEY_BYTES;
  for (let i = 0; i < key.length; i += 4) {
    if (word === 16) {
      const next = table.alloc();
      words[(line << ENTRY_SHIFT) + NEXT] = next;
      if (next === 0) return false;
      line = next;
      word = 0;
    }
    words[(line << ENTRY_SHIFT) + word] = wordAt(key, i);
    word = afterWord(word);
  }
  words[at + CADDR] = hashBytes(table.secret, key);
  return true;
}

/** Number of the engine of a template; 0: none. */
export function engineOf(words: Int32Array, entry: number): number {
  const at = entry << ENTRY_SHIFT;
  return (words[at + FLAGS]! & CONN_ENGINE_KEY) === 0 ? 0 : sizeOf(words, words[at + KEY]!) >>> 8;
}

/** The key of a template as Latin-1 text, for a listing; another thread may read it. */
export function keyText(words: Int32Array, entry: number): string {
  let line = words[(entry << ENTRY_SHIFT) + KEY]!;
  const left = sizeOf(words, line) & 0xff;
  const bytes = Buffer.alloc((left + 3) & ~3);
  let word = KEY_BYTES;
  for (let i = 0; i < left; i += 4) {
    if (word === 16) {
      line = words[(line << ENTRY_SHIFT) + NEXT] ?? 0;
      word = 0;
    }
    bytes.writeInt32BE(words[(line << ENTRY_SHIFT) + word] ?? 0, i);
    word = afterWord(word);
  }
  return bytes.toString('latin1', 0, left);
}

/**
 * Copies the key of a template to the front of `bytes`, which has room for 256. Returns its length.
 */
export function copyKey(words: Int32Array, entry: number, bytes: Uint8Array): number {
  let line = words[(entry << ENTRY_SHIFT) + KEY]!;
  const left = sizeOf(words, line) & 0xff;
  let word = KEY_BYTES;
  for (let i = 0; i < left; i += 4) {
    if (word === 16) {
      line = words[(line << ENTRY_SHIFT) + NEXT]!;
      word = 0;
    }
    const four = words[(line << ENTRY_SHIFT) + word]!;
    bytes[i] = four >>> 24;
    bytes[i + 1] = four >>> 16;
    bytes[i + 2] = four >>> 8;
    bytes[i + 3] = four;
    word = afterWord(word);
  }
  return left;
}

/** Hashes the key of a template by the secret of this table, into which it was copied. */
export function rehashKey(table: ConnectionTable, entry: number): void {
  const key = new TemplateKey();
  key.bytes = new Uint8Array(256);
  key.length = copyKey(table.words, entry, key.bytes);
  table.words[(entry << ENTRY_SHIFT) + CADDR] = hashBytes(table.secret, key);
}

function sizeOf(words: Int32Array, line: number): number {
  return words[(line << ENTRY_SHIFT) + KEY_SIZE] ?? 0;
}

/** The word after `word` that holds bytes: FLAGS and NEXT do not. */
function afterWord(word: number): number {
  return word + 1 === FLAGS ? NEXT + 1 : word + 1;
}

function isFor(words: Int32Array, at: number, key: TemplateKey): boolean {
  if (words[at + PORTS] !== key.vport || ((words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff) !== key.protocol) return false;
  if ((words[at + FLAGS]! & CONN_IPV6) !== (key.family === 4 ? 0 : CONN_IPV6)) return false;
  const line = words[at + KEY]! << ENTRY_SHIFT;
  if (key.family === 4) return words[at + VADDR] === key.vaddr[3] && words[line + KEY_CADDR] === key.caddr[3];
  const wide = words[at + DADDR]! << ENTRY_SHIFT;
  return same(words, wide + WIDE_CADDR, key.caddr) && same(words, wide + WIDE_VADDR, key.vaddr);
}

function hasBytes(words: Int32Array, first: number, key: TemplateKey): boolean {
  let line = first << ENTRY_SHIFT;
  if (words[line + KEY_SIZE] !== ((key.engine << 8) | key.length)) return false;
  let word = KEY_BYTES;
  for (let i = 0; i < key.length; i += 4) {
    if (word === 16) {
      line = words[line + NEXT]! << ENTRY_SHIFT;
      word = 0;
    }
    if (words[line + word] !== wordAt(key, i)) return false;
    word = afterWord(word);
  }
  return true;
}

/** Four bytes of the key from the i-th on, big-endian, padded with zeros. */
function wordAt(key: TemplateKey, i: number): number {
  const at = key.at + i;
  const left = key.length - i;
  const { bytes } = key;
  return (
    (bytes[at]! << 24) |
    (left > 1 ? bytes[at + 1]! << 16 : 0) |
    (left > 2 ? bytes[at + 2]! << 8 : 0) |
    (left > 3 ? bytes[at + 3]! : 0)
  );
}

/**
 * HalfSipHash-1-3 of the key: a sender of Call-IDs cannot choose a bucket. `secret`: two random
 * words.
 */
function hashBytes(secret: Int32Array, key: TemplateKey): number {
  let v0 = secret[0]!;
  let v1 = secret[1]!;
  let v2 = v0 ^ 0x6c796765;
  let v3 = v1 ^ 0x74656462;
  const rounds = (key.length + 3) >>> 2;
  for (let i = 0; i < rounds + 4; i++) {
    // The words of the key, its length, and three finishing rounds.
    const word = i < rounds ? wordAt(key, i * 4) : i === rounds ? key.length << 24 : 0;
    if (i === rounds + 1) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}

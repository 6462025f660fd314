/**
 * The seal of an entry: a keyed check over what decides where its packets go. It is written before
 * the flag CONN_HASHED, so that an entry of a state file is valid when its flag is set and its seal
 * is right. Words that packets change (state, timer, counts) and words of the index (NEXT, wheel)
 * are not in it.
 *
 *     entry        caddr  ports  vaddr  daddr  dport|protocol  lasting flags  dest
 *     IPv6         + the addresses of the second line
 *     engine key   + all words of the key's lines
 */
import {
  CADDR,
  CONN_ENGINE_KEY,
  CONN_FULLNAT,
  CONN_HELPER,
  CONN_IPV6,
  CONN_MIXED,
  CONN_NO_CPORT,
  CONN_ONE_PACKET,
  CONN_OUTGOING,
  CONN_RESET,
  CONN_REVERSE,
  CONN_SYNC,
  CONN_SYNPROXY,
  CONN_TEMPLATE,
  DADDR,
  DEST,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  ENTRY_WORDS,
  FLAGS,
  KEY,
  METHOD_MASK,
  NEXT,
  PORTS,
  VADDR,
  WIDE_CADDR,
  WIDE_DADDR,
  WIDE_VADDR,
} from './entry.js';

/** Flags that packets do not change. Who changes one seals the entry again. */
const LASTING =
  METHOD_MASK |
  CONN_NO_CPORT |
  CONN_TEMPLATE |
  CONN_ONE_PACKET |
  CONN_IPV6 |
  CONN_MIXED |
  CONN_HELPER |
  CONN_SYNPROXY |
  CONN_FULLNAT |
  CONN_REVERSE |
  CONN_SYNC |
  CONN_OUTGOING |
  CONN_RESET |
  CONN_ENGINE_KEY;
/** Lines of the longest key of an engine: 255 bytes, 48 in the first line and 56 in each other. */
export const MAX_KEY_LINES = 5;

/** The seal of the entry at word `at`; never 0. `key`: secret. Line numbers must be in range. */
export function sealOf(words: Int32Array, at: number, key: number): number {
  const flags = words[at + FLAGS]!;
  let h = mix(key, words[at + CADDR]!);
  h = mix(h, words[at + PORTS]!);
  h = mix(h, words[at + VADDR]!);
  h = mix(h, words[at + DADDR]!);
  h = mix(h, words[at + DPORT_PROTO_STATE]! & ~0xff);
  h = mix(h, words[at + DEST]!);
  h = mix(h, flags & LASTING);
  if ((flags & CONN_IPV6) !== 0) h = mixWide(h, words, words[at + DADDR]! << ENTRY_SHIFT);
  if ((flags & CONN_ENGINE_KEY) !== 0) h = mixKey(h, words, words[at + KEY]!);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  return h === 0 ? 1 : h;
}

function mix(h: number, word: number): number {
  const next = Math.imul((h ^ word) | 0, 0x9e3779b1);
  return (next ^ (next >>> 15)) | 0;
}

function mixWide(seed: number, words: Int32Array, wide: number): number {
  let h = seed;
  for (let i = 0; i < 4; i++) {
    h = mix(h, words[wide + WIDE_CADDR + i]!);
    h = mix(h, words[wide + WIDE_VADDR + i]!);
    h = mix(h, words[wide + WIDE_DADDR + i]!);
  }
  return h;
}

function mixKey(seed: number, words: Int32Array, first: number): number {
  let h = mix(seed, first);
  let line = first;
  for (let n = 0; line !== 0 && n < MAX_KEY_LINES; n++) {
    const at = line << ENTRY_SHIFT;
    for (let i = 0; i < ENTRY_WORDS; i++) h = mix(h, words[at + i]!);
    line = words[at + NEXT]!;
  }
  return h;
}

/**
 * SIP over UDP: a dialogue is named by the Call-ID header (RFC 3261, 20.8), which all its messages
 * carry. The parser accepts what the kernel's ip_vs_pe_sip and nf_conntrack_sip accept, with their
 * quirks: the first line is never a header; after two LF in a row one line is skipped; a header of
 * that name without a colon ends the search.
 */
import type { Dialogue, EnginePacket, PersistenceEngine } from '../service/persistence-engine.js';
import { UDP } from '../wire/ipv4.js';
import { HEADER as UDP_HEADER } from '../wire/udp.js';

const MAX_LENGTH = 255;
const NAME = [...'call-id'].map((letter) => letter.charCodeAt(0));
const COMPACT = 'i'.charCodeAt(0);

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const COLON = 58;
const AT = 64;
const LOWER = 0x20;

/** RFC 3261's `word`, and the letters of Latin-1, which the kernel's isalnum accepts. */
const WORD = new Uint8Array(256);
for (const c of '-.!%*_+`\'~()<>:\\"/[]?{}0123456789') WORD[c.charCodeAt(0)] = 1;
for (let c = 0; c < 256; c++) if (isLetter(c)) WORD[c] = 1;

export const sip: PersistenceEngine = { name: 'sip', number: 1, serversMayOpen: true, find };

/** As of PersistenceEngine: fills `dialogue` with the place of the Call-ID. */
function find(bytes: Uint8Array, packet: EnginePacket, dialogue: Dialogue): boolean {
  if (packet.protocol !== UDP || packet.quoted) return false;
  const start = packet.l4 + UDP_HEADER;
  const end = packet.l4 + packet.l4len;
  let from = start;
  while (from < end) {
    const at = findHeader(bytes, from, end);
    if (at < 0) return false;
    const length = callIdLength(bytes, at, end);
    if (length > 0) return accept(bytes, at, length, end, dialogue);
    // Skips an empty or malformed header. The kernel's offset is right for the first one only; so
    // is this one.
    from += at - start;
  }
  return false;
}

/** False for a value that is too long or does not end a line. */
function accept(bytes: Uint8Array, at: number, length: number, end: number, dialogue: Dialogue): boolean {
  if (length > MAX_LENGTH || at + length === end || !isLineEnd(bytes[at + length]!)) return false;
  dialogue.at = at;
  dialogue.length = length;
  return true;
}

/** Offset of the value of the next Call-ID header; −1: none. */
function findHeader(bytes: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    if (!isLineEnd(bytes[i]!)) continue;
    i = nextLine(bytes, i);
    if (i >= end) return -1;
    // A line that begins with a blank continues the line before. The first byte of a line does not
    // end it.
    const name = isBlank(bytes[i]!) ? 0 : nameLength(bytes, i, end);
    if (name !== 0) return valueAt(bytes, i + name, end);
  }
  return -1;
}

/** Offset after CR, LF or CRLF. */
function nextLine(bytes: Uint8Array, at: number): number {
  return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at + 1;
}

/** Length of `Call-ID`, or of its compact form `i` when no letter follows; 0: another header. */
function nameLength(bytes: Uint8Array, at: number, end: number): number {
  if (end - at >= NAME.length && isName(bytes, at)) return NAME.length;
  return end - at >= 2 && (bytes[at]! | LOWER) === COMPACT && !isLetter(bytes[at + 1]!) ? 1 : 0;
}

function isName(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < NAME.length; i++) if (lower(bytes[at + i]!) !== NAME[i]) return false;
  return true;
}

/**
 * Offset after the colon and the blanks around it, folded lines included; −1: no colon or no value.
 */
function valueAt(bytes: Uint8Array, at: number, end: number): number {
  const colon = skipBlank(bytes, at, end);
  if (colon < 0 || colon + 1 >= end || bytes[colon] !== COLON) return -1;
  return skipBlank(bytes, colon + 1, end);
}

/** Offset of the next byte that is not blank; −1: the line ends before. */
function skipBlank(bytes: Uint8Array, at: number, end: number): number {
  const i = skipSpace(bytes, at, end);
  if (i >= end || !isLineEnd(bytes[i]!)) return i;
  const line = nextLine(bytes, i);
  return line < end && isBlank(bytes[line]!) ? skipSpace(bytes, line, end) : -1;
}

function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && isBlank(bytes[i]!)) i++;
  return i;
}

/** Length of word [ "@" word ]; 0: not a Call-ID. */
function callIdLength(bytes: Uint8Array, at: number, end: number): number {
  const local = wordLength(bytes, at, end);
  const host = at + local + 1;
  if (local === 0 || host > end || bytes[host - 1] !== AT) return local;
  const domain = wordLength(bytes, host, end);
  return domain === 0 ? 0 : local + 1 + domain;
}

function wordLength(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && WORD[bytes[i]!] === 1) i++;
  return i - at;
}

function isLineEnd(c: number): boolean {
  return c === CR || c === LF;
}
function isBlank(c: number): boolean {
  return c === SPACE || c === TAB;
}
function isLetter(c: number): boolean {
  const ascii = c | LOWER;
  return (ascii >= 97 && ascii <= 122) || (c >= 0xc0 && c !== 0xd7 && c !== 0xf7);
}
function lower(c: number): number {
  return c >= 65 && c <= 90 ? c | LOWER : c;
}

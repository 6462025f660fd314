/**
 * The option lists of IPv4 (RFC 791, 3.1) and TCP (RFC 9293, 3.2), which have the same layout. Kind
 * 0 ends the list. Kind 1 is a NOP of one byte. A length follows every other kind; it includes the
 * bytes of kind and length.
 *
 *     | 2 | 4 | MSS (2) | 1 | 3 | 3 | shift | 0 |
 */
import { type Decoded, viewOf } from './decoded.js';

export const END = 0;
export const NOP = 1;

/** Kinds of TCP (IANA). */
export const MSS = 2;
export const WINDOW_SCALE = 3;
export const SACK_PERMITTED = 4;
export const SACK = 5;
export const TIMESTAMPS = 8;

/** Kinds of IPv4 (IANA). */
export const RECORD_ROUTE = 7;
export const TIMESTAMP = 68;
export const LOOSE_SOURCE_ROUTE = 131;
export const STRICT_SOURCE_ROUTE = 137;
export const ROUTER_ALERT = 148;

/**
 * Offset of the option of this kind in the list from offset `at` to `end`; −1 without the option,
 * or when the list is malformed.
 */
export function find(view: DataView, at: number, end: number, kind: number): number {
  while (at < end) {
    const here = view.getUint8(at);
    const len = here === END ? 0 : lengthAt(view, at, end);
    if (len === 0 || at + len > end) return -1;
    if (here === kind) return at;
    at += len;
  }
  return -1;
}

/**
 * Bytes of the option at `at`: 1 for a NOP, else its length; 0 when the length is missing or below
 * 2.
 */
function lengthAt(view: DataView, at: number, end: number): number {
  if (view.getUint8(at) === NOP) return 1;
  const len = at + 1 < end ? view.getUint8(at + 1) : 0;
  return len < 2 ? 0 : len;
}

export interface Option {
  kind: number;
  /** Without kind and length; empty for a NOP. */
  data: Uint8Array;
}
export interface OptionList {
  options: Option[];
}

/** The bytes of a list, padded with END to a multiple of 4 bytes, as both headers require. */
export function encode(options: readonly Option[]): Uint8Array {
  const bytes: number[] = [];
  for (const { kind, data } of options) {
    if (kind === NOP || kind === END) bytes.push(kind);
    else bytes.push(kind, data.length + 2, ...data);
  }
  while (bytes.length % 4 !== 0) bytes.push(END);
  return Uint8Array.from(bytes);
}

/** The options before END. A NOP is an option of its own. */
export function decode(bytes: Uint8Array): Decoded<OptionList> {
  const view = viewOf(bytes);
  const options: Option[] = [];
  for (let at = 0; at < bytes.length && bytes[at] !== END; ) {
    const len = lengthAt(view, at, bytes.length);
    if (len === 0 || at + len > bytes.length) return `option ${bytes[at]} at byte ${at} has a wrong length`;
    options.push({ kind: bytes[at]!, data: bytes.subarray(Math.min(at + 2, at + len), at + len) });
    at += len;
  }
  return { options };
}

/** The MSS option of a SYN; `value` in bytes. */
export function mss(value: number): Option {
  return { kind: MSS, data: Uint8Array.of(value >>> 8, value) };
}

/**
 * The option lists of IPv4 (RFC 791, 3.1) and TCP (RFC 9293, 3.2), which have one form: kind 0 ends the list, 1 is a
 * filler of one byte, every other kind is followed by a length that counts kind and length too.
 *
 *     | 2 | 4 | MSS (2) | 1 | 3 | 3 | shift | 0 |
 */
import { type Decoded, viewOf } from './decoded.js';

export const END = 0;
export const NOP = 1;

/** Kinds of TCP. */
export const MSS = 2;
export const WINDOW_SCALE = 3;
export const SACK_PERMITTED = 4;
export const SACK = 5;
export const TIMESTAMPS = 8;

/** Kinds of IPv4. */
export const RECORD_ROUTE = 7;
export const TIMESTAMP = 68;
export const LOOSE_SOURCE_ROUTE = 131;
export const STRICT_SOURCE_ROUTE = 137;
export const ROUTER_ALERT = 148;

/** Offset of the option of this kind in the list from `at` to `end` (absolute); −1 without one or when the list is broken. */
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

/** 1 for a filler, else what the option says; 0 when that is missing or impossible. */
function lengthAt(view: DataView, at: number, end: number): number {
  if (view.getUint8(at) === NOP) return 1;
  const len = at + 1 < end ? view.getUint8(at + 1) : 0;
  return len < 2 ? 0 : len;
}

export interface Option {
  kind: number;
  /** Without kind and length; empty for a filler. */
  data: Uint8Array;
}
export interface OptionList {
  options: Option[];
}

/** Padded to a multiple of 4 bytes by ends of list, as both headers want it. */
export function encode(options: readonly Option[]): Uint8Array {
  const bytes: number[] = [];
  for (const { kind, data } of options) {
    if (kind === NOP || kind === END) bytes.push(kind);
    else bytes.push(kind, data.length + 2, ...data);
  }
  while (bytes.length % 4 !== 0) bytes.push(END);
  return Uint8Array.from(bytes);
}

/** Up to the end of the list; fillers are options of their own. */
export function decode(bytes: Uint8Array): Decoded<OptionList> {
  const view = viewOf(bytes);
  const options: Option[] = [];
  for (let at = 0; at < bytes.length && bytes[at] !== END; ) {
    const len = lengthAt(view, at, bytes.length);
    if (len === 0 || at + len > bytes.length) return `option ${bytes[at]} at byte ${at} has a broken length`;
    options.push({ kind: bytes[at]!, data: bytes.subarray(Math.min(at + 2, at + len), at + len) });
    at += len;
  }
  return { options };
}

/** The MSS option's bytes, what a SYN carries. */
export function mss(value: number): Option {
  return { kind: MSS, data: Uint8Array.of(value >>> 8, value) };
}

/** Routes and policy rules as plain data, as the kernel names them; prefixes as words. */
import { isIPv6, parse4, parse6 } from '../../wire/address.js';

export type RouteType = 'unicast' | 'local' | 'blackhole' | 'unreachable' | 'prohibit';

/**
 * Prefixes are text (`10.0.0.0/8`, `default` is 0.0.0.0/0 or ::/0). `device` is the index of a
 * link.
 */
export interface Route {
  readonly family: 4 | 6;
  readonly to: string;
  readonly via?: string;
  readonly device: number;
  readonly src?: string;
  readonly mtu?: number;
  readonly type: RouteType;
  readonly metric: number;
}
export interface Rule {
  readonly family: 4 | 6;
  readonly priority: number;
  readonly from?: string;
  readonly to?: string;
  readonly iif?: number;
  readonly mark?: number;
  readonly mask?: number;
  readonly table: number;
}
export interface RouteData {
  readonly tables: readonly { readonly id: number; readonly routes: readonly Route[] }[];
  readonly rules: readonly Rule[];
}

/** An address of four words, IPv4 in the last one, and how many of its bits count. */
export interface Prefix {
  readonly words: Int32Array;
  readonly length: number;
}

/**
 * Text to words, IPv4 in the last word. Undefined for no text and for a text that is no address
 * (the control side has checked it).
 */
export function wordsOf(text: string | undefined): Int32Array | undefined {
  if (text === undefined) return undefined;
  if (isIPv6(text)) return parse6(text);
  const address = parse4(text);
  return address === undefined ? undefined : Int32Array.of(0, 0, 0, address);
}

/** `default` and no text are undefined: every address. */
export function prefixOf(text: string | undefined, family: 4 | 6): Prefix | undefined {
  if (text === undefined || text === 'default') return undefined;
  const [address, length] = text.split('/');
  const words = wordsOf(address);
  return words && { words, length: length === undefined ? (family === 4 ? 32 : 128) : Number(length) };
}

export function covers(prefix: Prefix, address: Int32Array, family: number): boolean {
  let left = prefix.length;
  for (let i = family === 4 ? 3 : 0; left > 0; i++, left -= 32) {
    const mask = left >= 32 ? -1 : -1 << (32 - left);
    if (((prefix.words[i]! ^ address[i]!) & mask) !== 0) return false;
  }
  return true;
}

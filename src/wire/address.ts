/**
 * Addresses between text, numbers and bytes.
 * IPv4: a signed int32, as `getInt32` reads it (a uint32 above 2^31 is no small integer to V8). IPv6: four such words.
 * MAC: [first 16 bits unsigned, last 32 bits signed]. Every `parse` gives undefined for what is not strictly one address.
 */
export type Mac = readonly [hi: number, lo: number];

export const BROADCAST_MAC: Mac = [0xffff, -1];
export const ZERO_MAC: Mac = [0, 0];

const QUAD = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const MAC = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;

/** The family of an address, prefix or range that is known to be one: only IPv6 has a colon. Does not check the text. */
export function isIPv6(text: string): boolean {
  return text.includes(':');
}

/** 4 or 6, for a text as in isIPv6. */
export function addressFamily(text: string): 4 | 6 {
  return isIPv6(text) ? 6 : 4;
}

/** Dotted quad as inet_pton takes it: four decimal parts, no leading zeros, no spaces. */
export function parse4(text: string): number | undefined {
  const match = QUAD.exec(text);
  if (!match) return undefined;
  const [a, b, c, d] = match.slice(1).map(Number) as [number, number, number, number];
  if (a > 255 || b > 255 || c > 255 || d > 255) return undefined;
  return (a << 24) | (b << 16) | (c << 8) | d;
}

/** Signed or unsigned. */
export function format4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`;
}

/** The mask of a prefix length 0..32, signed: 24 is 255.255.255.0. */
export function mask4(prefix: number): number {
  return prefix === 0 ? 0 : -1 << (32 - prefix);
}

/** Word `i` of an IPv6 prefix length's mask, signed. */
export function maskWord(prefix: number, i: number): number {
  const bits = prefix - 32 * i;
  if (bits >= 32) return -1;
  return bits <= 0 ? 0 : -1 << (32 - bits);
}

export function bytes4(address: number): Uint8Array {
  return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
}

/** RFC 4291, 2.2: groups, one `::` for at least one of them, the last two also as a dotted quad. No zone. */
export function parse6(text: string): Int32Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const tail = halves.length === 2 ? groups(halves[1]!, true) : [];
  const head = groups(halves[0]!, halves.length === 1);
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return wordsOf([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

function groups(text: string, quadAllowed: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const quad = quadAllowed ? parse4(parts.at(-1)!) : undefined;
  if (quad !== undefined) parts.splice(-1, 1, (quad >>> 16).toString(16), (quad & 0xffff).toString(16));
  return parts.every((part) => GROUP.test(part)) ? parts.map((part) => Number.parseInt(part, 16)) : undefined;
}

function wordsOf(eight: readonly number[]): Int32Array {
  return Int32Array.from({ length: 4 }, (_, i) => (eight[2 * i]! << 16) | eight[2 * i + 1]!);
}

/**
 * RFC 5952, and where that leaves a choice as inet_ntop writes it (which ipvsadm prints): a dotted quad ends the mapped
 * (`::ffff:1.2.3.4`) and the compatible (`::1.2.3.4`) addresses.
 */
export function format6(words: ArrayLike<number>, at = 0): string {
  const eight = Array.from({ length: 8 }, (_, i) => (words[at + (i >> 1)]! >>> (i & 1 ? 0 : 16)) & 0xffff);
  const { start, length } = longestZeros(eight);
  if (start === 0 && (length === 6 || (length === 5 && eight[5] === 0xffff))) {
    return `${length === 6 ? '::' : '::ffff:'}${format4(words[at + 3]!)}`;
  }
  const hex = eight.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** The first of the longest runs of zero groups. */
function longestZeros(eight: readonly number[]): { start: number; length: number } {
  const best = { start: 0, length: 0 };
  for (let i = 0, run = 0; i < 8; i++) {
    run = eight[i] === 0 ? run + 1 : 0;
    if (run > best.length) Object.assign(best, { start: i - run + 1, length: run });
  }
  return best;
}

export function bytes6(words: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4; i++) view.setInt32(4 * i, words[i]!);
  return bytes;
}

export function words6(view: DataView, off: number): Int32Array {
  return Int32Array.of(view.getInt32(off), view.getInt32(off + 4), view.getInt32(off + 8), view.getInt32(off + 12));
}

/** Six pairs of hex digits between colons or dashes. */
export function parseMac(text: string): Mac | undefined {
  if (!MAC.test(text)) return undefined;
  const digits = text.replaceAll(/[:-]/g, '');
  return [Number.parseInt(digits.slice(0, 4), 16), Number.parseInt(digits.slice(4), 16) | 0];
}

export function formatMac(hi: number, lo: number): string {
  const digits = hi.toString(16).padStart(4, '0') + (lo >>> 0).toString(16).padStart(8, '0');
  return digits.replaceAll(/..(?!$)/g, '$&:');
}

export function bytesMac([hi, lo]: Mac): Uint8Array {
  return Uint8Array.of(hi >>> 8, hi, lo >>> 24, lo >>> 16, lo >>> 8, lo);
}

export function macAt(view: DataView, off: number): Mac {
  return [view.getUint16(off), view.getInt32(off + 2)];
}

/** Copies the four words of an address from `words[at]` on. */
export function copyWords(words: Int32Array, at: number, into: Int32Array): void {
  for (let i = 0; i < 4; i++) into[i] = words[at + i]!;
}

/**
 * Converts addresses between text, numbers and bytes.
 *
 * IPv4 is a signed int32, as `getInt32` reads it: a uint32 above 2^31 is no small integer to V8.
 * IPv6 is four such words. A MAC is [first 16 bits unsigned, last 32 bits signed]. Each `parse`
 * returns undefined for a text that is not exactly one address.
 */
export type Mac = readonly [hi: number, lo: number];

export const BROADCAST_MAC: Mac = [0xffff, -1];
export const ZERO_MAC: Mac = [0, 0];

const GROUP = /^[0-9a-f]{1,4}$/i;
const MAC = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;

/**
 * True when a valid address, prefix or range is IPv6: only IPv6 has a colon. The text is not
 * checked.
 */
export function isIPv6(text: string): boolean {
  return text.includes(':');
}

/** The family of a valid address, prefix or range. The text is not checked. */
export function addressFamily(text: string): 4 | 6 {
  return isIPv6(text) ? 6 : 4;
}

/** Parses a dotted quad as inet_pton(3) does: four decimal parts, no leading zeros, no spaces. */
export function parse4(text: string): number | undefined {
  let address = 0;
  let part = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT && part >= 0 && dots < 3) {
      address = (address << 8) | part;
      part = -1;
      dots++;
    } else if (code >= ZERO && code <= ZERO + 9 && part !== 0) {
      part = Math.max(part, 0) * 10 + code - ZERO;
      if (part > 255) return undefined;
    } else return undefined;
  }
  return dots === 3 && part >= 0 ? (address << 8) | part : undefined;
}

const DOT = 0x2e;
const ZERO = 0x30;

/** The dotted quad of an address, signed or unsigned. */
export function format4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`;
}

/** The mask of a prefix length 0–32, signed: 24 gives 255.255.255.0. */
export function mask4(prefix: number): number {
  return prefix === 0 ? 0 : -1 << (32 - prefix);
}

/** Word `i` (0–3) of the mask of an IPv6 prefix length (0–128), signed. */
export function maskWord(prefix: number, i: number): number {
  const bits = prefix - 32 * i;
  if (bits >= 32) return -1;
  return bits <= 0 ? 0 : -1 << (32 - bits);
}

/** The four bytes, network order. */
export function bytes4(address: number): Uint8Array {
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) bytes[i] = address >>> (24 - 8 * i);
  return bytes;
}

/**
 * Parses an IPv6 address (RFC 4291, 2.2). `::` stands for at least one group; the last two may be a
 * dotted quad. No zone.
 */
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
 * The text of the IPv6 address in `words` from index `at` (RFC 5952). Where the RFC leaves a
 * choice, the text is that of inet_ntop(3), which ipvsadm prints: a mapped (`::ffff:1.2.3.4`) and a
 * compatible (`::1.2.3.4`) address end with a dotted quad.
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

/** The longest run of zero groups; of equal runs the first. */
function longestZeros(eight: readonly number[]): { start: number; length: number } {
  const best = { start: 0, length: 0 };
  for (let i = 0, run = 0; i < 8; i++) {
    run = eight[i] === 0 ? run + 1 : 0;
    if (run > best.length) Object.assign(best, { start: i - run + 1, length: run });
  }
  return best;
}

/** The 16 bytes, network order. */
export function bytes6(words: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4; i++) view.setInt32(4 * i, words[i]!);
  return bytes;
}

/** The four words of the address at `off`. */
export function words6(view: DataView, off: number): Int32Array {
  return Int32Array.of(view.getInt32(off), view.getInt32(off + 4), view.getInt32(off + 8), view.getInt32(off + 12));
}

/** Parses six pairs of hex digits with colons or dashes between them. */
export function parseMac(text: string): Mac | undefined {
  if (!MAC.test(text)) return undefined;
  const digits = text.replaceAll(/[:-]/g, '');
  return [Number.parseInt(digits.slice(0, 4), 16), Number.parseInt(digits.slice(4), 16) | 0];
}

/** `02:00:00:00:0b:01`. */
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

/** Copies four words from `words[at]` to `into[0]`. */
export function copyWords(words: Int32Array, at: number, into: Int32Array): void {
  for (let i = 0; i < 4; i++) into[i] = words[at + i]!;
}

/**
 * Converts addresses between netlink and text. In netlink they are 4 or 16 bytes in network order,
 * by family; in records they are text (RFC 5952).
 */
import { bytes4, bytes6, bytesMac, format4, format6, parse4, parse6, parseMac, words6 } from '../wire/address.js';
import type { Attributes } from './attribute.js';
import { AF_INET, AF_INET6 } from './constants.js';
import { MalformedMessage } from './error.js';
import { viewOf } from './message.js';

export type Family = 4 | 6;

/** The IP family of an AF_* number; undefined for other families (AF_BRIDGE …). */
export function familyOf(af: number): Family | undefined {
  if (af === AF_INET) return 4;
  return af === AF_INET6 ? 6 : undefined;
}

/** AF_INET or AF_INET6. */
export function afOf(family: Family): number {
  return family === 4 ? AF_INET : AF_INET6;
}

/** Bits of an address. */
export function bitsOf(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** The text of an address. Throws a MalformedMessage when the number of bytes is wrong. */
export function addressText(bytes: Uint8Array, family: Family): string {
  const need = bitsOf(family) / 8;
  if (bytes.length !== need) throw new MalformedMessage(`IPv${family} address`, bytes.length, need);
  const view = viewOf(bytes);
  return family === 4 ? format4(view.getInt32(0)) : format6(words6(view, 0));
}

/**
 * The text of the address in an attribute; undefined without the attribute. Throws a
 * MalformedMessage.
 */
export function addressOf(attributes: Attributes, type: number, family: Family): string | undefined {
  const bytes = attributes.bytes(type);
  return bytes && addressText(bytes, family);
}

/**
 * `10.0.0.0/24`, or `default` for length 0, where the address attribute may be missing. Throws a
 * MalformedMessage for a length that the family does not have.
 */
export function prefixText(attributes: Attributes, type: number, len: number, family: Family): string {
  if (len > bitsOf(family)) throw new MalformedMessage('prefix length', bitsOf(family), len);
  const address = addressOf(attributes, type, family) ?? (family === 4 ? '0.0.0.0' : '::');
  return len === 0 ? 'default' : `${address}/${len}`;
}

/**
 * Family and bytes of an address text. Throws a TypeError that names the text when it is neither
 * IPv4 nor IPv6.
 */
export function parseInet(text: string): { family: Family; bytes: Uint8Array } {
  const v4 = parse4(text);
  if (v4 !== undefined) return { family: 4, bytes: bytes4(v4) };
  const v6 = parse6(text);
  if (v6 !== undefined) return { family: 6, bytes: bytes6(v6) };
  throw new TypeError(`${JSON.stringify(text)} is not an IPv4 or IPv6 address, such as 10.0.0.1 or 2001:db8::1`);
}

/**
 * `02:00:00:00:0b:01`. Also link-layer addresses of other lengths, and the 4 or 16 bytes of the
 * local endpoint of a tunnel.
 */
export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** The six bytes of a MAC address text. Throws a TypeError that names the text. */
export function macBytes(text: string): Uint8Array {
  const mac = parseMac(text);
  if (mac === undefined) throw new TypeError(`${JSON.stringify(text)} is not a MAC address, such as 02:00:00:00:0b:01`);
  return bytesMac(mac);
}

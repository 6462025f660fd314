/** Addresses in netlink are bytes in network order, as long as the family says; in records they are text (RFC 5952). */
import { bytes4, bytes6, bytesMac, format4, format6, parse4, parse6, parseMac, words6 } from '../wire/address.js';
import type { Attributes } from './attribute.js';
import { AF_INET, AF_INET6 } from './constants.js';
import { MalformedMessage } from './error.js';
import { viewOf } from './message.js';

export type Family = 4 | 6;

/** The IP family of a kernel AF_* number; undefined for the others (AF_BRIDGE …), whose messages are not ours. */
export function familyOf(af: number): Family | undefined {
  if (af === AF_INET) return 4;
  return af === AF_INET6 ? 6 : undefined;
}

export function afOf(family: Family): number {
  return family === 4 ? AF_INET : AF_INET6;
}

export function bitsOf(family: Family): number {
  return family === 4 ? 32 : 128;
}

export function addressText(bytes: Uint8Array, family: Family): string {
  const need = bitsOf(family) / 8;
  if (bytes.length !== need) throw new MalformedMessage(`IPv${family} address`, bytes.length, need);
  const view = viewOf(bytes);
  return family === 4 ? format4(view.getInt32(0)) : format6(words6(view, 0));
}

export function addressOf(attributes: Attributes, type: number, family: Family): string | undefined {
  const bytes = attributes.bytes(type);
  return bytes && addressText(bytes, family);
}

/** `10.0.0.0/24`; length 0 is `default`. A prefix of the length 0 needs no address attribute. */
export function prefixText(attributes: Attributes, type: number, len: number, family: Family): string {
  if (len > bitsOf(family)) throw new MalformedMessage('prefix length', bitsOf(family), len);
  const address = addressOf(attributes, type, family) ?? (family === 4 ? '0.0.0.0' : '::');
  return len === 0 ? 'default' : `${address}/${len}`;
}

/** An address as the kernel wants it. Throws TypeError, naming the text, where it is neither IPv4 nor IPv6. */
export function parseInet(text: string): { family: Family; bytes: Uint8Array } {
  const v4 = parse4(text);
  if (v4 !== undefined) return { family: 4, bytes: bytes4(v4) };
  const v6 = parse6(text);
  if (v6 !== undefined) return { family: 6, bytes: bytes6(v6) };
  throw new TypeError(`${JSON.stringify(text)} is not an IPv4 or IPv6 address, such as 10.0.0.1 or 2001:db8::1`);
}

/** `02:00:00:00:0b:01`; also longer or shorter link layer addresses, and the 4 or 16 bytes of a tunnel's endpoint. */
export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

export function macBytes(text: string): Uint8Array {
  const mac = parseMac(text);
  if (mac === undefined) throw new TypeError(`${JSON.stringify(text)} is not a MAC address, such as 02:00:00:00:0b:01`);
  return bytesMac(mac);
}

/** Numbers and addresses as the kernel prints them in /proc/net. */
import { isIPv6 } from 'node:net';
import { parse4, parse6 } from '../wire/address.js';

/** printf's %0WX of a 32-bit number, W being `width`. */
export function hex(value: number, width: number): string {
  return (value >>> 0).toString(16).toUpperCase().padStart(width, '0');
}

/** printf's %WX of a count that may exceed 32 bits. */
export function wide(value: number, width: number): string {
  return value.toString(16).toUpperCase().padStart(width);
}

/** %08X of an IPv4 address; %pI6 (eight groups, lower case) of an IPv6 address. */
export function address(text: string): string {
  if (!isIPv6(text)) return hex(parse4(text)!, 8);
  const words = [...parse6(text)!];
  return words
    .flatMap((word) => [word >>> 16, word & 0xffff])
    .map((group) => group.toString(16).padStart(4, '0'))
    .join(':');
}

/** An endpoint as `0A000064:0050` or `[2001:…]:01BB`. */
export function endpoint(text: string, port: number): string {
  return `${isIPv6(text) ? `[${address(text)}]` : address(text)}:${hex(port, 4)}`;
}

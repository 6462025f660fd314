/**
 * Readers of single values in director.yaml. Each takes a value of YAML and returns it in canonical
 * form, or throws Wrong.
 */
import { formatMac, isIPv6, parseMac } from '../../wire/address.js';
import {
  formatIp,
  formatPrefix,
  type Ip,
  isHostAddress,
  networkOf,
  parseIp,
  parsePrefix,
  sameIp,
  widthOf,
} from '../text/prefix.js';

/** A wrong value; the message is the whole sentence, with the value. */
export class Wrong extends Error {}

const LONGEST_SHOWN = 60;

/** A value in a message, cut to 60 characters. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

/** The error that a value is not `right`, or is missing. */
export function notA(value: unknown, right: string): Wrong {
  if (value === undefined) return new Wrong(`is missing; it should be ${right}`);
  if (value === null) return new Wrong(`is empty; it should be ${right}, or leave the key out`);
  return new Wrong(`${shown(value)} is not ${right}`);
}

/** Reader of a text that is not empty. */
export function text(right: string) {
  return (value: unknown): string => {
    if (typeof value !== 'string' || value.trim() === '') throw notA(value, right);
    return value;
  };
}

/** Reads true or false. */
export function flag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw notA(value, 'true or false');
  return value;
}

/** Reads auto or off. */
export function autoOrOff(value: unknown): 'auto' | 'off' {
  if (value !== 'auto' && value !== 'off') throw notA(value, 'auto or off');
  return value;
}

/** Reads auto, on or off. */
export function autoOnOff(value: unknown): 'auto' | 'on' | 'off' {
  if (value !== 'auto' && value !== 'on' && value !== 'off') throw notA(value, 'auto, on or off');
  return value;
}

/** Reader of a whole number, both limits included. */
export function whole(min: number, max: number, unit = 'a whole number') {
  return (value: unknown): number => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw notA(value, `${unit} from ${min} to ${max}`);
  };
}

/** Reads the name of an interface. */
export function deviceName(value: unknown): string {
  if (typeof value !== 'string' || !/^[\w.:@-]{1,15}$/.test(value)) throw notA(value, 'a device name such as eth0');
  return value;
}

/** Reads the MAC address of a device. */
export function mac(value: unknown): string {
  const parsed = typeof value === 'string' ? parseMac(value) : undefined;
  if (!parsed) throw notA(value, 'a MAC address such as 02:00:00:00:0d:00');
  const [high, low] = parsed;
  if (high & 0x100) throw new Wrong(`${shown(value)} is a multicast MAC address, not that of a device`);
  if (high === 0 && low === 0) throw new Wrong(`${shown(value)} is not the MAC address of a device`);
  return formatMac(high, low);
}

function ipOf(value: unknown): Ip {
  const ip = typeof value === 'string' ? parseIp(value) : undefined;
  if (!ip) throw notA(value, 'an IPv4 or IPv6 address');
  return ip;
}

/** Reads the address of a host, of both families. */
export function hostAddress(value: unknown): string {
  const ip = ipOf(value);
  if (!isHostAddress(ip)) throw new Wrong(`${shown(value)} is not the address of a host`);
  return formatIp(ip);
}

/** Reads the IPv4 address of a host. */
export function hostAddress4(value: unknown): string {
  const address = hostAddress(value);
  if (isIPv6(address)) throw notA(value, 'an IPv4 address');
  return address;
}

/** Reads the address of a device with its prefix length: 10.0.0.254/24. */
export function ownAddress(value: unknown): string {
  const prefix = typeof value === 'string' ? parsePrefix(value) : undefined;
  if (!prefix) throw notA(value, 'an IPv4 or IPv6 address with a prefix length, such as 10.0.0.254/24');
  if (!String(value).includes('/'))
    throw new Wrong(`${shown(value)} has no prefix length; write ${value}/24 for example`);
  if (!isHostAddress(prefix.ip)) throw new Wrong(`${shown(value)} is not the address of a host`);
  if (widthOf(prefix.ip.family) - prefix.length > 1 && sameIp(prefix.ip, networkOf(prefix))) {
    throw new Wrong(`${shown(value)} is the address of the network, not of a host in it`);
  }
  return formatPrefix(prefix);
}

/** Reads a network without host bits. The caller reads `default`, since it knows the family. */
export function network(value: unknown): string {
  const prefix = typeof value === 'string' ? parsePrefix(value) : undefined;
  if (!prefix) throw notA(value, 'an IPv4 or IPv6 prefix such as 10.9.0.0/16');
  const bare = { ip: networkOf(prefix), length: prefix.length };
  if (!sameIp(bare.ip, prefix.ip))
    throw new Wrong(`${shown(value)} has host bits after its prefix length; write ${formatPrefix(bare)}`);
  return formatPrefix(prefix);
}

/** The values of options, read as ipvsadm and the C library read them. */
import { format4, format6, parse4, parse6 } from '../wire/address.js';
import { fail } from './errors.js';
import { SCHEDULER_FLAGS } from './flags.js';

export const DEFAULT_SCHEDULER = 'wlc';
export const DEFAULT_PERSISTENCE = 360;
export const MAX_TIMEOUT = 86400 * 31;

const INTEGER = /^[ \t\n\v\f\r]*[+-]?\d+$/;

/** strtol(3) in base 10: the number, or -1 if the text is not one within the bounds. */
export function toNumber(text: string, min: number, max: number): number {
  if (!INTEGER.test(text)) return -1;
  const value = Number(text);
  return value >= min && value <= max ? value : -1;
}

export function bounded(text: string, min: number, max: number, what: string): number {
  const value = toNumber(text, min, max);
  return value === -1 ? fail(`illegal ${what} specified`) : value;
}

/** A timeout in seconds. */
export function timeoutValue(text: string, min: number): number {
  const value = toNumber(text, min, MAX_TIMEOUT);
  return value === -1 ? fail(`invalid timeout value \`${text}' specified`) : value;
}

export function fwmarkValue(text: string): number {
  const value = toNumber(text, 1, 0xffffffff);
  return value === -1 ? fail(`invalid fwmark value \`${text}' specified`) : value;
}

/** atoi(3): the number at the begin of a text. */
export function leadingNumber(text: string): number {
  return Number(/^\s*([+-]?\d+)/.exec(text)?.[1] ?? 0);
}

const PART = /^(0x[0-9a-f]*|0[0-7]*|[1-9]\d*)$/i;

/**
 * inet_aton(3): one to four parts, decimal, octal or hex; the last part fills the rest. Returns an
 * unsigned number.
 */
export function inetAton(text: string): number | undefined {
  const parts = text.replace(/[ \t\n\v\f\r].*$/s, '').split('.');
  if (parts.length > 4 || !parts.every((part) => PART.test(part))) return undefined;
  const numbers = parts.map(partValue);
  const last = numbers.pop()!;
  if (numbers.some((number) => number > 255) || last >= 256 ** (4 - numbers.length)) return undefined;
  return numbers.reduce((sum, number, i) => sum + number * 256 ** (3 - i), last);
}

function partValue(part: string): number {
  if (/^0x/i.test(part)) return Number.parseInt(part.slice(2) || '0', 16);
  return part.startsWith('0') ? Number.parseInt(part, 8) : Number(part);
}

/** inet_pton(3) for IPv6, in canonical form. */
export function inet6(text: string): string | undefined {
  if (text.indexOf(':') === text.lastIndexOf(':')) return undefined;
  const words = parse6(text);
  return words && format6(words);
}

export function inet4(text: string): string | undefined {
  const value = parse4(text) ?? inetAton(text);
  return value === undefined ? undefined : format4(value);
}

/** The SVC_SCHED* bits of a comma-separated list of flags. */
export function schedulerFlags(text: string, scheduler: string): number {
  const names = text.split(',').filter(Boolean);
  if (names.length === 0) fail(`invalid scheduler flag \`${text}'`);
  return names.reduce((bits, name) => bits | flagBit(name, scheduler || DEFAULT_SCHEDULER), 0);
}

function flagBit(name: string, scheduler: string): number {
  const flag = SCHEDULER_FLAGS.get(name);
  if (!flag) return fail(`invalid scheduler flag \`${name}'`);
  if (flag.scheduler && flag.scheduler !== scheduler) fail(`incompatible scheduler flag \`${name}'`);
  return flag.bit;
}

/**
 * Reads what FTP says on its control connection about data connections (RFC 959, RFC 2428). The
 * parser accepts what ip_vs_ftp accepts: a segment holds a whole line, or it is ignored.
 *
 *      client   PORT h1,h2,h3,h4,p1,p2      EPRT |1|address|port|     first in its segment
 *               PASV\r\n                    EPSV\r\n  EPSV 1\r\n      anywhere in it
 *      server   227 … (h1,h2,h3,h4,p1,p2)   229 … (|||port|)          first in its segment
 */
import { parse6 } from '../../wire/address.js';

/** Which answer of the server is awaited. */
export const Awaits = { nothing: 0, pasv: 1, epsv: 2 } as const;

export interface Endpoint {
  /**
   * Four words, IPv4 in the last. Undefined where the text means the control connection's address.
   */
  readonly address: Int32Array | undefined;
  readonly port: number;
}
export interface Announcement extends Endpoint {
  /** Index in the text. */
  readonly start: number;
  readonly length: number;
}

const PASSIVE4 = /PASV\r\n|EPSV[ \r]/i;
const PASSIVE6 = /EPSV[ \r]/i;
/** Length of the shortest command. A shorter rest of a segment is not searched. */
const LEAST = 6;

/**
 * Returns the answer to await after PASV or EPSV, `nothing` for an EPSV that asks for another
 * family, undefined when the text has neither.
 */
export function passiveCommand(text: string, family: number): number | undefined {
  const at = text.search(family === 4 ? PASSIVE4 : PASSIVE6);
  if (at < 0 || at + LEAST > text.length) return undefined;
  if (text[at]!.toUpperCase() === 'P') return Awaits.pasv;
  if (text[at + 4] === '\r') return Awaits.epsv;
  const asked = text.slice(at + 5, at + 7);
  return asked === (family === 4 ? '1\r' : '2\r') ? Awaits.epsv : Awaits.nothing;
}

/**
 * Six numbers. Blanks or an opening parenthesis before them are optional, the character behind them
 * is not.
 */
const PORT = /^(PORT[^\d ]*(?: +|(?=\d)))(\d*,\d*,\d*,\d*,\d*,\d*)\D/i;
const ANSWER_227 = /^(227 [^\d(]*(?:\(+|(?=\d)))(\d*,\d*,\d*,\d*,\d*,\d*)\D/;
/** RFC 2428: any printable character is a delimiter. */
const EPRT = /^EPRT[^ ]* +([!-~])([12])\1([\da-f:.]+)\1(\d+)(?!\d)\1/i;
const ANSWER_229 = /^(229 [^(]*\(+)(([!-~])(?:\3|([12])\3([\da-f:.]+))\3(\d+)(?!\d)\3)/i;

/** Address and port that the server shall connect to: PORT (IPv4 only) or EPRT. */
export function activeCommand(text: string, family: number): Endpoint | undefined {
  const port = family === 4 ? PORT.exec(text) : null;
  if (port !== null) return sixNumbers(port[2]!);
  const eprt = EPRT.exec(text);
  return eprt === null ? undefined : extended(family, eprt[2], eprt[3], eprt[4]!);
}

/** Address and port that the server listens on: the answer to PASV or to EPSV. */
export function passiveAnswer(text: string, family: number, awaits: number): Announcement | undefined {
  const match = (awaits === Awaits.pasv ? ANSWER_227 : ANSWER_229).exec(text);
  if (match === null) return undefined;
  const found = awaits === Awaits.pasv ? sixNumbers(match[2]!) : extended(family, match[4], match[5], match[6]!);
  return found && { ...found, start: match[1]!.length, length: match[2]!.length };
}

/** A missing number is 0. */
function sixNumbers(text: string): Endpoint | undefined {
  const [a, b, c, d, high, low] = text.split(',').map(Number) as [number, number, number, number, number, number];
  if (Math.max(a, b, c, d, high, low) > 255) return undefined;
  return { address: Int32Array.of(0, 0, 0, (a << 24) | (b << 16) | (c << 8) | d), port: (high << 8) | low };
}

function extended(family: number, named: string | undefined, text: string | undefined, digits: string) {
  const port = Number(digits);
  if (port === 0 || port > 65535) return undefined;
  if (named === undefined) return { address: undefined, port };
  if (named !== (family === 4 ? '1' : '2')) return undefined;
  const address = family === 4 ? quad(text!) : parse6(text!);
  return address && { address, port };
}

/** Reads an address like the kernel's in4_pton: leading zeros are allowed. */
function quad(text: string): Int32Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d+$/.test(part) && Number(part) < 256)) return undefined;
  const [a, b, c, d] = parts.map(Number) as [number, number, number, number];
  return Int32Array.of(0, 0, 0, (a << 24) | (b << 16) | (c << 8) | d);
}

/**
 * The text that replaces the server's answer: the virtual address and port. `address`: IPv4, int32.
 */
export function announce(awaits: number, address: number, port: number): string {
  // After EPSV the client connects to the address that it already uses.
  if (awaits === Awaits.epsv) return `|||${port}|`;
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255, port >>> 8, port & 255].join(
    ',',
  );
}

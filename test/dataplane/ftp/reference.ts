/**
 * A reference for the expressions of dataplane/ftp/text.ts: ip_vs_ftp_get_addrport, character by
 * character as in the kernel.
 */
import type { Endpoint } from '../../../src/dataplane/ftp/text.js';
import { parse6 } from '../../../src/wire/address.js';

interface Found extends Endpoint {
  start: number;
  length: number;
}

const isDigit = (c: string | undefined) => c !== undefined && c >= '0' && c <= '9';

/** Undefined when the text is not understood. `mayOmit`: the address may be missing (EPSV). */
export function slowFind(
  text: string,
  pattern: string,
  skip: string,
  extended: boolean,
  mayOmit: boolean,
  family: number,
): Found | undefined {
  if (text.slice(0, pattern.length).toLowerCase() !== pattern.toLowerCase()) return undefined;
  const s = skipped(text, pattern.length, skip, extended);
  if (s === undefined) return undefined;
  return extended ? slowExtended(text, s, mayOmit, family) : slowSix(text, s);
}

function skipped(text: string, from: number, skip: string, extended: boolean): number | undefined {
  let found = false;
  for (let s = from; s < text.length; s++) {
    if (!found) {
      if (!extended && isDigit(text[s])) return s;
      if (text[s] === skip) found = true;
    } else if (text[s] !== skip) return s;
  }
  return undefined;
}

function slowSix(text: string, start: number): Found | undefined {
  const p = [0, 0, 0, 0, 0, 0];
  let i = 0;
  for (let at = start; ; at++) {
    if (at === text.length) return undefined;
    const c = text[at]!;
    if (isDigit(c)) {
      p[i] = p[i]! * 10 + Number(c);
      if (p[i]! > 255) return undefined;
    } else if (c === ',' && i < 5) i++;
    else {
      if (i !== 5) return undefined;
      const address = Int32Array.of(0, 0, 0, (p[0]! << 24) | (p[1]! << 16) | (p[2]! << 8) | p[3]!);
      return { address, port: p[4]! * 256 + p[5]!, start, length: at - start };
    }
  }
}

function slowExtended(text: string, start: number, mayOmit: boolean, family: number): Found | undefined {
  const delimiter = text[start]!;
  if (delimiter.charCodeAt(0) < 33 || delimiter.charCodeAt(0) > 126) return undefined;
  let s = start + 1;
  let address: Int32Array | undefined;
  if (text[s] === delimiter) {
    if (!mayOmit || text[++s] !== delimiter) return undefined;
    s++;
  } else {
    if (text[s] !== (family === 4 ? '1' : '2') || text[++s] !== delimiter) return undefined;
    const end = text.indexOf(delimiter, ++s);
    address = end < 0 ? undefined : slowAddress(text.slice(s, end), family);
    if (address === undefined) return undefined;
    s = end + 1;
  }
  let port = 0;
  for (; isDigit(text[s]); s++) {
    port = port * 10 + Number(text[s]);
    if (port > 65535) return undefined;
  }
  return port === 0 || text[s] !== delimiter ? undefined : { address, port, start, length: s + 1 - start };
}

function slowAddress(text: string, family: number): Int32Array | undefined {
  if (family === 6) return parse6(text);
  let value = 0;
  const parts = text.split('.');
  for (const part of parts) {
    if (part === '' || [...part].some((c) => !isDigit(c)) || Number(part) > 255) return undefined;
    value = (value << 8) | Number(part);
  }
  return parts.length === 4 ? Int32Array.of(0, 0, 0, value) : undefined;
}

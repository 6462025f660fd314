/**
 * TCP (RFC 9293).
 *
 *     0               2                4              8
 *     | source port   | dest. port     | sequence     |
 *     | acknowledgement                | off| flags | window |
 *     | checksum      | urgent pointer | options (0 to 40 bytes) ...
 *
 * `l4` is the offset of the header. Sequence numbers are signed int32; subtract them with `(a - b) | 0`. A `rewrite` adjusts the
 * checksum. `addressDelta`: the delta that ipv4.rewriteDst or a similar function returned; 0 if
 * only the port changes.
 */
import { adjust, delta16, delta32, finish, sum, sum32 } from './checksum.js';
import { type Decoded, EMPTY, viewOf } from './decoded.js';

const SPORT = 0;
const DPORT = 2;
const SEQ = 4;
const ACK_NUMBER = 8;
const DATA_OFFSET = 12;
const FLAGS = 13;
const WINDOW = 14;
const CHECKSUM = 16;
const URGENT = 18;
/** Length without options. */
export const HEADER = 20;
const PROTOCOL = 6;

/** Flags, bits of the flags byte (RFC 9293, 3.1; ECE and CWR RFC 3168). */
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;
export const ECE = 0x40;
export const CWR = 0x80;
const LETTERS = 'FSRPAUEC';

export function sport(view: DataView, l4: number): number {
  return view.getUint16(l4 + SPORT);
}
export function dport(view: DataView, l4: number): number {
  return view.getUint16(l4 + DPORT);
}
export function seq(view: DataView, l4: number): number {
  return view.getInt32(l4 + SEQ);
}
export function ack(view: DataView, l4: number): number {
  return view.getInt32(l4 + ACK_NUMBER);
}
/** Bytes with options: 20–60; less in a malformed segment. */
export function headerLen(view: DataView, l4: number): number {
  return (view.getUint8(l4 + DATA_OFFSET) >>> 4) << 2;
}
export function flags(view: DataView, l4: number): number {
  return view.getUint8(l4 + FLAGS);
}
export function window(view: DataView, l4: number): number {
  return view.getUint16(l4 + WINDOW);
}
/** The checksum is not adjusted. */
export function setWindow(view: DataView, l4: number, value: number): void {
  view.setUint16(l4 + WINDOW, value);
}
export function checksum(view: DataView, l4: number): number {
  return view.getUint16(l4 + CHECKSUM);
}
/** `len`: bytes of header and payload. `pseudo`: pseudo4 or pseudo6 of checksum.ts. */
export function isChecksumGood(view: DataView, l4: number, len: number, pseudo: number): boolean {
  return finish(sum(view, l4, len, pseudo)) === 0;
}

/** Recomputes the checksum over header and payload. */
export function fillChecksum(view: DataView, l4: number, len: number, pseudo: number): void {
  view.setUint16(l4 + CHECKSUM, 0);
  view.setUint16(l4 + CHECKSUM, finish(sum(view, l4, len, pseudo)));
}
/** Adjusts the checksum to a change elsewhere in the covered bytes. */
export function fix(view: DataView, l4: number, delta: number): void {
  view.setUint16(l4 + CHECKSUM, adjust(view.getUint16(l4 + CHECKSUM), delta));
}

export function rewriteSport(view: DataView, l4: number, port: number, addressDelta = 0): void {
  fix(view, l4, delta16(view.getUint16(l4 + SPORT), port) + addressDelta);
  view.setUint16(l4 + SPORT, port);
}
export function rewriteDport(view: DataView, l4: number, port: number, addressDelta = 0): void {
  fix(view, l4, delta16(view.getUint16(l4 + DPORT), port) + addressDelta);
  view.setUint16(l4 + DPORT, port);
}
export function rewriteSeq(view: DataView, l4: number, value: number): void {
  fix(view, l4, delta32(view.getInt32(l4 + SEQ), value));
  view.setInt32(l4 + SEQ, value);
}
export function rewriteAck(view: DataView, l4: number, value: number): void {
  fix(view, l4, delta32(view.getInt32(l4 + ACK_NUMBER), value));
  view.setInt32(l4 + ACK_NUMBER, value);
}

/**
 * The first letters of the flags in the order FIN SYN RST PSH ACK URG ECE CWR: `SA` for SYN and
 * ACK.
 */
export function flagsText(bits: number): string {
  return [...LETTERS].filter((_, i) => (bits >>> i) & 1).join('');
}
/** The flags of letters as flagsText writes them; undefined for another letter. */
export function parseFlags(text: string): number | undefined {
  let bits = 0;
  for (const letter of text) {
    const i = LETTERS.indexOf(letter);
    if (i < 0) return undefined;
    bits |= 1 << i;
  }
  return bits;
}

export interface Tcp {
  sport: number;
  dport: number;
  /** Unsigned, unlike the accessors. */
  seq: number;
  ack: number;
  flags: number;
  /** The three reserved bits and AE; normally 0. */
  reserved: number;
  window: number;
  /** As on the wire. `encode` computes it when it is absent or undefined. */
  checksum: number | undefined;
  urgent: number;
  /** A multiple of 4 bytes, at most 40 (options.ts). */
  options: Uint8Array;
  payload: Uint8Array;
}

const DEFAULTS: Tcp = {
  sport: 0,
  dport: 0,
  seq: 0,
  ack: 0,
  flags: 0,
  reserved: 0,
  window: 65535,
  checksum: undefined,
  urgent: 0,
  options: EMPTY,
  payload: EMPTY,
};

/** `addresses`: sum of both IP addresses (sum32 or sum128), for the checksum. */
export function encode(fields: Partial<Tcp>, addresses = 0): Uint8Array {
  const f = { ...DEFAULTS, ...fields };
  const length = HEADER + f.options.length;
  const bytes = new Uint8Array(length + f.payload.length);
  const view = viewOf(bytes);
  view.setUint16(SPORT, f.sport);
  view.setUint16(DPORT, f.dport);
  view.setInt32(SEQ, f.seq);
  view.setInt32(ACK_NUMBER, f.ack);
  bytes.set([(length << 2) | f.reserved, f.flags], DATA_OFFSET);
  view.setUint16(WINDOW, f.window);
  view.setUint16(URGENT, f.urgent);
  bytes.set(f.options, HEADER);
  bytes.set(f.payload, length);
  if (f.checksum === undefined) fillChecksum(view, 0, bytes.length, addresses + PROTOCOL + sum32(bytes.length));
  else view.setUint16(CHECKSUM, f.checksum);
  return bytes;
}

export function decode(bytes: Uint8Array): Decoded<Tcp> {
  if (bytes.length < HEADER) return `TCP header needs 20 bytes, has ${bytes.length}`;
  const view = viewOf(bytes);
  const header = headerLen(view, 0);
  if (header < HEADER || header > bytes.length) return `TCP header length ${header} of ${bytes.length} bytes`;
  return {
    sport: sport(view, 0),
    dport: dport(view, 0),
    seq: view.getUint32(SEQ),
    ack: view.getUint32(ACK_NUMBER),
    flags: flags(view, 0),
    reserved: bytes[DATA_OFFSET]! & 15,
    window: window(view, 0),
    checksum: checksum(view, 0),
    urgent: view.getUint16(URGENT),
    options: bytes.subarray(HEADER, header),
    payload: bytes.subarray(header),
  };
}

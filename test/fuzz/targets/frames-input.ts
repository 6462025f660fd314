/**
 * An input of the frame targets is a list of records:
 *
 *     | kind 8 | time 8 | length 16 | frame … |
 *
 * kind: bit 0 is the link; bit 1: instead of the frame comes a reply to a frame that was sent, chosen by the first byte, with
 * the TCP flags of the second. time: an index into STEPS; frames of step 0 are in the batch of the frame before.
 */
import { finish, pseudo4, pseudo6, sum } from '../../../src/wire/checksum.js';
import * as icmp from '../../../src/wire/icmp.js';
import * as ipv4 from '../../../src/wire/ipv4.js';
import * as ipv6 from '../../../src/wire/ipv6.js';
import * as tcp from '../../../src/wire/tcp.js';
import * as udp from '../../../src/wire/udp.js';
import type { Random } from '../../support/seed.js';
import { mutate } from '../engine/mutate.js';

export const STEPS = [0, 0, 0, 0, 0, 0, 1, 10, 100, 900, 3000, 30_000, 61_000, 130_000] as const;
export const REPLY = 2;
const HEADER = 4;
const IP = 14;
/** Records of the longest input, and bytes of the longest frame. */
const MOST = 24;
const LONGEST = 1600;

export interface Rec {
  readonly kind: number;
  readonly time: number;
  readonly bytes: Uint8Array;
}

/** The records of an input; what is cut at its end is left out. */
export function recordsOf(input: Uint8Array): Rec[] {
  const records: Rec[] = [];
  for (let at = 0; at + HEADER <= input.length && records.length < MOST; ) {
    const length = (input[at + 2]! << 8) | input[at + 3]!;
    if (at + HEADER + length > input.length) break;
    records.push({ kind: input[at]!, time: input[at + 1]!, bytes: input.subarray(at + HEADER, at + HEADER + length) });
    at += HEADER + length;
  }
  return records;
}

export function inputOf(records: readonly Rec[]): Uint8Array {
  const input = new Uint8Array(records.reduce((all, { bytes }) => all + HEADER + bytes.length, 0));
  let at = 0;
  for (const { kind, time, bytes } of records) {
    input.set([kind, time, bytes.length >>> 8, bytes.length], at);
    input.set(bytes, at + HEADER);
    at += HEADER + bytes.length;
  }
  return input;
}

/** A changed list of records. 4 of 5 changed frames get right checksums, so that they come far. */
export function mutateRecords(random: Random, input: Uint8Array, other: Uint8Array, timed: boolean): Uint8Array {
  const records = recordsOf(input);
  const others = recordsOf(other);
  for (let n = 1 + random.below(3); n > 0; n--) step(random, records, others, timed);
  return inputOf(records.slice(0, MOST));
}

function step(random: Random, records: Rec[], others: readonly Rec[], timed: boolean): void {
  const at = random.below(records.length + 1);
  const one = records[at];
  const kind = random.below(10);
  if (one === undefined || kind === 0) {
    if (others.length > 0) records.splice(at, 0, random.pick(others));
  } else if (kind === 1) records.splice(at, 1);
  else if (kind === 2) records.splice(at, 0, one);
  else if (kind === 3) records.splice(at, 1, ...records.splice(random.below(records.length), 1, one));
  else if (kind === 4) records[at] = { ...one, kind: one.kind ^ 1 };
  else if (kind === 5 && timed) records[at] = { ...one, time: random.below(STEPS.length) };
  else if (kind === 6)
    records.splice(at, 0, { kind: REPLY | random.below(2), time: 0, bytes: Uint8Array.of(random.u8(), random.u8()) });
  else records[at] = { ...one, bytes: changed(random, one.bytes, others) };
}

function changed(random: Random, bytes: Uint8Array, others: readonly Rec[]): Uint8Array {
  const other = others.length > 0 ? random.pick(others).bytes : bytes;
  let frame = random.below(4) === 0 ? mutate(random, bytes, other) : fields(random, bytes.slice());
  if (frame.length > LONGEST) frame = frame.subarray(0, LONGEST);
  return random.below(5) === 0 ? frame : repaired(frame.slice());
}

/** Changes a few bytes of the headers: addresses, ports and flags rather than payload. */
function fields(random: Random, frame: Uint8Array): Uint8Array {
  const room = Math.min(frame.length, 80);
  for (let n = 1 + random.below(3); n > 0 && room > 0; n--) {
    const at = random.below(room);
    if (random.bool()) frame[at] = random.u8();
    else frame[at]! ^= 1 << random.below(8);
  }
  return frame;
}

/** Makes lengths and checksums of a frame right, as far as it has such. */
export function repaired(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length < IP + 20) return frame;
  const type = view.getUint16(12);
  if (type === 0x0800) repair4(view, frame.length);
  else if (type === 0x86dd && frame.length >= IP + 40) repair6(view, frame.length);
  return frame;
}

function repair4(view: DataView, length: number): void {
  const header = ipv4.headerLen(view, IP);
  if (header < 20 || IP + header > length) return;
  if (ipv4.totalLen(view, IP) > length - IP) ipv4.setTotalLen(view, IP, length - IP);
  ipv4.fillChecksum(view, IP);
  const size = ipv4.totalLen(view, IP) - header;
  if (ipv4.isFragment(view, IP) || size < 0) return;
  const protocol = ipv4.protocol(view, IP);
  transport(view, IP + header, size, protocol, pseudo4(ipv4.src(view, IP), ipv4.dst(view, IP), protocol, size));
}

function repair6(view: DataView, length: number): void {
  if (ipv6.payloadLen(view, IP) > length - IP - 40) ipv6.setPayloadLen(view, IP, length - IP - 40);
  const [size, next] = [ipv6.payloadLen(view, IP), ipv6.nextHeader(view, IP)];
  transport(view, IP + 40, size, next, pseudo6(view, IP + ipv6.SRC, IP + ipv6.DST, next, size));
}

function transport(view: DataView, l4: number, size: number, protocol: number, pseudo: number): void {
  if (protocol === ipv4.TCP && size >= 20) tcp.fillChecksum(view, l4, size, pseudo);
  else if (protocol === ipv4.UDP && size >= 8 && udp.checksum(view, l4) !== 0) udp.fillChecksum(view, l4, size, pseudo);
  else if (protocol === ipv4.ICMP && size >= 8) icmp.fillChecksum(view, l4, size);
  else if (protocol === 58 && size >= 8) {
    view.setUint16(l4 + 2, 0);
    view.setUint16(l4 + 2, finish(sum(view, l4, size, pseudo)));
  }
}

/** Turns a sent frame into the answer of the host it went to: ends exchanged, TCP flags set. */
export function replyTo(sent: Uint8Array, flags: number): Uint8Array {
  const frame = sent.slice();
  exchange(frame, 0, 6, 6);
  if (frame.length < IP + 20) return frame;
  const six = frame[IP]! >>> 4 === 6;
  if (six && frame.length < IP + 40) return frame;
  exchange(frame, IP + (six ? 8 : 12), IP + (six ? 24 : 16), six ? 16 : 4);
  const l4 = IP + (six ? 40 : (frame[IP]! & 15) * 4);
  if (l4 + 20 > frame.length) return repaired(frame);
  exchange(frame, l4, l4 + 2, 2);
  const protocol = frame[IP + (six ? 6 : 9)];
  if (protocol === ipv4.TCP) {
    exchange(frame, l4 + 4, l4 + 8, 4);
    frame[l4 + 13] = flags & 0x3f;
  }
  return repaired(frame);
}

function exchange(bytes: Uint8Array, a: number, b: number, length: number): void {
  for (let i = 0; i < length; i++) {
    const kept = bytes[a + i]!;
    bytes[a + i] = bytes[b + i]!;
    bytes[b + i] = kept;
  }
}

/**
 * Netlink messages (RFC 3549, 2.3.2) as bytes. The fields of the header are in host order.
 *
 *   0        4      6       8        12        16
 *   ┌────────┬──────┬───────┬────────┬─────────┬──────────────┬─────┐
 *   │ len    │ type │ flags │ seq    │ port id │ body ...     │ pad │ next message, 4-byte aligned
 *   └────────┴──────┴───────┴────────┴─────────┴──────────────┴─────┘
 */
import os from 'node:os';
import { MalformedMessage } from './error.js';

export const HOST_LITTLE = os.endianness() === 'LE';
const HEADER = 16;

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly seq: number;
  readonly portId: number;
  /** The bytes behind the header: a fixed part and attributes. A view, not a copy. */
  readonly body: Uint8Array;
}

/** `len` rounded up to 4 bytes. */
export function align(len: number): number {
  return (len + 3) & ~3;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The messages of a datagram. Throws a MalformedMessage when a length points outside. */
export function* messages(datagram: Uint8Array): Generator<Message> {
  let at = 0;
  while (at < datagram.length) {
    const message = messageAt(datagram.subarray(at));
    yield message;
    at += align(HEADER + message.body.length);
  }
}

function messageAt(bytes: Uint8Array): Message {
  if (bytes.length < HEADER) throw new MalformedMessage('header', bytes.length, HEADER);
  const view = viewOf(bytes);
  const len = view.getUint32(0, HOST_LITTLE);
  if (len < HEADER || len > bytes.length) throw new MalformedMessage('message', bytes.length, len);
  return {
    type: view.getUint16(4, HOST_LITTLE),
    flags: view.getUint16(6, HOST_LITTLE),
    seq: view.getUint32(8, HOST_LITTLE),
    portId: view.getUint32(12, HOST_LITTLE),
    body: bytes.subarray(HEADER, len),
  };
}

/** A message with padding. Port id 0: the kernel fills it in. */
export function encodeMessage(type: number, flags: number, seq: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(align(HEADER + body.length));
  const view = viewOf(bytes);
  view.setUint32(0, HEADER + body.length, HOST_LITTLE);
  view.setUint16(4, type, HOST_LITTLE);
  view.setUint16(6, flags, HOST_LITTLE);
  view.setUint32(8, seq, HOST_LITTLE);
  bytes.set(body, HEADER);
  return bytes;
}

/** The first `len` bytes of a body. Throws a MalformedMessage when the body is shorter. */
export function fixedPart(body: Uint8Array, len: number, what: string): DataView {
  if (body.length < len) throw new MalformedMessage(what, body.length, len);
  return viewOf(body.subarray(0, len));
}

/** Joins parts to a body, each padded to 4 bytes: a fixed part and its attributes. */
export function joinAligned(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((len, part) => len + align(part.length), 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += align(part.length);
  }
  return joined;
}

/**
 * SCTP (RFC 9260): a common header and chunks. Each chunk is padded to 4 bytes.
 *
 *     0             2            4                  8          12
 *     | source port | dest. port | verification tag | checksum | type flags length value pad | type flags length ...
 *
 * The checksum is a CRC32c of the whole packet, little endian. It has no pseudo header, so a change
 * of an address does not change it.
 */
import { crc32c } from './crc32c.js';
import { type Decoded, viewOf } from './decoded.js';

const SPORT = 0;
const DPORT = 2;
const TAG = 4;
const CHECKSUM = 8;
export const HEADER = 12;

const CHUNK_TYPE = 0;
const CHUNK_FLAGS = 1;
const CHUNK_LENGTH = 2;
export const CHUNK_HEADER = 4;

export const DATA = 0;
export const INIT = 1;
export const INIT_ACK = 2;
export const SACK = 3;
export const HEARTBEAT = 4;
export const HEARTBEAT_ACK = 5;
export const ABORT = 6;
export const SHUTDOWN = 7;
export const SHUTDOWN_ACK = 8;
export const ERROR = 9;
export const COOKIE_ECHO = 10;
export const COOKIE_ACK = 11;
export const ECNE = 12;
export const ECN_CWR = 13;
export const SHUTDOWN_COMPLETE = 14;

/** In place of the checksum field while the checksum is computed. */
const ZEROS = new DataView(new ArrayBuffer(4));

export function sport(view: DataView, l4: number): number {
  return view.getUint16(l4 + SPORT);
}
export function dport(view: DataView, l4: number): number {
  return view.getUint16(l4 + DPORT);
}
/** Verification tag, a signed int32. */
export function tag(view: DataView, l4: number): number {
  return view.getInt32(l4 + TAG);
}
/** A signed int32, as `compute` returns it. */
export function checksum(view: DataView, l4: number): number {
  return view.getInt32(l4 + CHECKSUM, true);
}
/** The correct checksum of the packet of `len` bytes at `l4`. */
export function compute(view: DataView, l4: number, len: number): number {
  const front = crc32c(ZEROS, 0, 4, crc32c(view, l4, CHECKSUM));
  return crc32c(view, l4 + HEADER, len - HEADER, front);
}
export function isChecksumGood(view: DataView, l4: number, len: number): boolean {
  return checksum(view, l4) === compute(view, l4, len);
}
export function fillChecksum(view: DataView, l4: number, len: number): void {
  view.setInt32(l4 + CHECKSUM, compute(view, l4, len), true);
}
/** The `set` functions do not change the checksum: call fillChecksum after them. */
export function setSport(view: DataView, l4: number, port: number): void {
  view.setUint16(l4 + SPORT, port);
}
export function setDport(view: DataView, l4: number, port: number): void {
  view.setUint16(l4 + DPORT, port);
}

/** `at`: offset of a chunk; l4 + HEADER for the first one. */
export function chunkType(view: DataView, at: number): number {
  return view.getUint8(at + CHUNK_TYPE);
}
/** Bytes with the header, without padding. */
export function chunkLen(view: DataView, at: number): number {
  return view.getUint16(at + CHUNK_LENGTH);
}
/**
 * Offset of the chunk behind the chunk at `at`; −1 when no complete chunk header is left before
 * offset `end`, or when the length is wrong.
 */
export function nextChunk(view: DataView, at: number, end: number): number {
  const len = chunkLen(view, at);
  const next = at + ((len + 3) & ~3);
  return len < CHUNK_HEADER || next + CHUNK_HEADER > end ? -1 : next;
}

export interface Chunk {
  type: number;
  flags: number;
  value: Uint8Array;
}

export interface Sctp {
  sport: number;
  dport: number;
  /** Unsigned, unlike the accessor. */
  tag: number;
  /** Signed. `encode` computes it when it is absent or undefined. */
  checksum: number | undefined;
  chunks: Chunk[];
}

export function encode(fields: Partial<Sctp>): Uint8Array {
  const { sport = 0, dport = 0, tag = 0, chunks = [] } = fields;
  const bytes = new Uint8Array(chunks.reduce((n, c) => n + padded(c), HEADER));
  const view = viewOf(bytes);
  setSport(view, 0, sport);
  setDport(view, 0, dport);
  view.setInt32(TAG, tag);
  let at = HEADER;
  for (const chunk of chunks) {
    bytes.set([chunk.type, chunk.flags], at);
    view.setUint16(at + CHUNK_LENGTH, CHUNK_HEADER + chunk.value.length);
    bytes.set(chunk.value, at + CHUNK_HEADER);
    at += padded(chunk);
  }
  view.setInt32(CHECKSUM, fields.checksum ?? compute(view, 0, bytes.length), true);
  return bytes;
}

function padded(chunk: Chunk): number {
  return (CHUNK_HEADER + chunk.value.length + 3) & ~3;
}

/**
 * The padding of the last chunk may be missing. Other bytes that are no complete chunk are an
 * error.
 */
export function decode(bytes: Uint8Array): Decoded<Sctp> {
  if (bytes.length < HEADER) return `SCTP header needs 12 bytes, has ${bytes.length}`;
  const view = viewOf(bytes);
  const chunks: Chunk[] = [];
  for (let at = HEADER; at < bytes.length; ) {
    const len = at + CHUNK_HEADER <= bytes.length ? chunkLen(view, at) : 0;
    if (len < CHUNK_HEADER || at + len > bytes.length)
      return `SCTP chunk ${chunks.length} has length ${len} of ${bytes.length - at}`;
    const value = bytes.subarray(at + CHUNK_HEADER, at + len);
    chunks.push({ type: chunkType(view, at), flags: bytes[at + CHUNK_FLAGS]!, value });
    at += (len + 3) & ~3;
  }
  const tag = view.getUint32(TAG);
  return { sport: sport(view, 0), dport: dport(view, 0), tag, checksum: checksum(view, 0), chunks };
}

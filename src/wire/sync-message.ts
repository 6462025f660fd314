/**
 * Whole synchronisation messages: reading the connections of one, of either version, as a backup
 * does (ip_vs_process_message), and packing connections into one.
 */
import {
  CONN_SIZE4,
  CONNS_MOST,
  connSize,
  Fault,
  type FaultNumber,
  MESSAGE_HEADER,
  readConn,
  type SyncConn,
  writeConn,
} from './sync.js';
import { connSizeV0, MESSAGE_HEADER_V0, readConnV0 } from './sync-v0.js';

const VERSION = 1;

/** The header of a message. */
export interface MessageHeader {
  readonly version: 0 | 1;
  readonly syncid: number;
  readonly connections: number;
}

/** Reads the header. Returns undefined when the datagram is too short or has another size. */
export function readHeader(bytes: Uint8Array, view = viewOf(bytes)): MessageHeader | undefined {
  if (bytes.length < MESSAGE_HEADER_V0 || view.getUint16(2) !== bytes.length) return undefined;
  const syncid = view.getUint8(1);
  if (isVersion1(bytes, view)) return { version: 1, syncid, connections: view.getUint8(4) };
  return { version: 0, syncid, connections: view.getUint8(0) };
}

/** A message of another form is one of version 0, to the kernel too. */
function isVersion1(bytes: Uint8Array, view: DataView): boolean {
  return (
    bytes.length >= MESSAGE_HEADER && view.getInt8(5) === VERSION && view.getUint8(0) === 0 && view.getUint16(6) === 0
  );
}

/**
 * Reads the connections of a message whose header was read, in order, into `conn`. Calls `each`
 * after each one: with Fault.none, or with Fault.skipped when that one is not usable. Returns false
 * when the rest of the message is malformed.
 */
export function readConns(bytes: Uint8Array, conn: SyncConn, each: (fault: FaultNumber) => void): boolean {
  const view = viewOf(bytes);
  return isVersion1(bytes, view) ? readConns1(bytes, view, conn, each) : readConns0(bytes, view, conn, each);
}

function readConns1(bytes: Uint8Array, view: DataView, conn: SyncConn, each: (fault: FaultNumber) => void): boolean {
  const end = bytes.length;
  let at = MESSAGE_HEADER;
  for (let left = view.getUint8(4); left > 0; left--) {
    if (at + CONN_SIZE4 > end) return false;
    const size = view.getUint16(at + 2) & 0x0fff;
    if (at + size > end || view.getUint16(at + 2) >> 12 !== 0) return false;
    const fault = readConn(bytes, view, at, at + size, conn);
    if (fault === Fault.dropped) return false;
    each(fault);
    at += (size + 3) & ~3;
  }
  return true;
}

function readConns0(bytes: Uint8Array, view: DataView, conn: SyncConn, each: (fault: FaultNumber) => void): boolean {
  let at = MESSAGE_HEADER_V0;
  for (let left = view.getUint8(0); left > 0; left--) {
    const size = connSizeV0(view, at, bytes.length);
    if (at + size > bytes.length) return false;
    each(readConnV0(view, at, conn));
    at += size;
  }
  return true;
}

/** Writes the header of version 1 over the first 8 bytes. */
export function writeHeader(view: DataView, syncid: number, size: number, connections: number): void {
  view.setUint8(0, 0);
  view.setUint8(1, syncid);
  view.setUint16(2, size);
  view.setUint8(4, connections);
  view.setInt8(5, VERSION);
  view.setUint16(6, 0);
}

/** A message of version 1 with these connections, for tests and tools. 255 connections at most. */
export function encodeMessage(syncid: number, conns: readonly SyncConn[]): Uint8Array {
  if (conns.length > CONNS_MOST) throw new RangeError(`${conns.length} connections in a message`);
  let size = MESSAGE_HEADER;
  for (const conn of conns) size = ((size + 3) & ~3) + connSize(conn);
  const bytes = new Uint8Array(size);
  const view = viewOf(bytes);
  let at = MESSAGE_HEADER;
  for (const conn of conns) {
    at = (at + 3) & ~3;
    at += writeConn(view, at, conn);
  }
  writeHeader(view, syncid, size, conns.length);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

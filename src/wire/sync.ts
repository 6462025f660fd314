/**
 * Messages of IPVS's connection synchronisation, version 1 (ip_vs_sync.c; docs/ipvs-reference.md
 * section 18). A message is one UDP datagram. Numbers are big-endian on the wire and host order in
 * SyncConn.
 *
 *      message     | 0 | syncid | size 16 | connections | 1 | 0 16 | connection, padded to 4 | connection ...
 *      connection  | type | protocol | size 16 | flags 32 | state 16 | cport | vport | dport | fwmark 32 | timeout 32 |
 *                  | caddr | vaddr | daddr | options: type, length, bytes ...
 *
 * `size` of a connection counts its options, without the padding. Version 0 is in sync-v0.ts.
 */
import { SCTP, TCP, UDP } from './ipv4.js';

export const GROUP = '224.0.0.81';
export const PORT = 8848;
export const MESSAGE_HEADER = 8;
export const CONN_SIZE4 = 36;
export const CONN_SIZE6 = 72;
/** The longest connection: IPv6, sequence numbers, PE data, PE name. */
export const CONN_MOST = CONN_SIZE6 + 26 + 2 + 255 + 2 + 16;
/** The most connections in a message: their number is a byte. */
export const CONNS_MOST = 255;
const TYPE_INET6 = 1;
const SIZE_MASK = 0x0fff;

/** Options of a connection. A receiver may skip an unknown one with OPTIONAL. */
const SEQUENCES = 1;
const PE_DATA = 2;
const PE_NAME = 3;
const OPTIONAL = 0x40;
const SEQUENCES_SIZE = 24;
const PE_NAME_MOST = 16;

/** Flags of a connection (IP_VS_CONN_F_*). */
export const SyncFlag = {
  method: 0x7,
  sync: 0x20,
  hashed: 0x40,
  noOutput: 0x80,
  inactive: 0x100,
  outSeq: 0x200,
  inSeq: 0x400,
  noCport: 0x800,
  template: 0x1000,
  onePacket: 0x2000,
  conntrack: 0x10000,
} as const;
export const SEQUENCE_FLAGS = SyncFlag.inSeq | SyncFlag.outSeq;
/** What a backup takes from a new connection, and what from one that it has. */
export const BACKUP_MASK =
  SyncFlag.method | SyncFlag.noOutput | SyncFlag.inactive | SEQUENCE_FLAGS | SyncFlag.noCport | SyncFlag.template;
export const BACKUP_UPDATE_MASK = SyncFlag.inactive | SEQUENCE_FLAGS;

/** Number of states by protocol. */
export function stateCount(protocol: number): number {
  if (protocol === TCP) return 11;
  if (protocol === SCTP) return 14;
  return protocol === UDP ? 1 : 0;
}

/**
 * A connection of a message. One record is filled again for each connection, so that nothing is
 * allocated. Addresses are four words, IPv4 in the last.
 */
export class SyncConn {
  family = 4;
  protocol = 0;
  flags = 0;
  state = 0;
  cport = 0;
  vport = 0;
  dport = 0;
  fwmark = 0;
  /** In seconds; 0: not known (version 0). */
  timeout = 0;
  readonly caddr = new Int32Array(4);
  readonly vaddr = new Int32Array(4);
  readonly daddr = new Int32Array(4);
  /** The six numbers of `sequences` are present. */
  hasSequences = false;
  /** Of the client, then of the destination: initial number, delta, delta before. */
  readonly sequences = new Int32Array(6);
  /** The key of a persistence engine: `peLength` bytes from `peAt` on in `peBytes`; 0: none. */
  peBytes: Uint8Array = new Uint8Array(0);
  peAt = 0;
  peLength = 0;
  peName = '';

  get isTemplate(): boolean {
    return (this.flags & SyncFlag.template) !== 0;
  }
}

/** Bytes of the connection on the wire, without padding. */
export function connSize(conn: SyncConn): number {
  let size = conn.family === 6 ? CONN_SIZE6 : CONN_SIZE4;
  if (conn.hasSequences) size += 2 + SEQUENCES_SIZE;
  if (conn.peLength !== 0) size += 2 + conn.peLength + 2 + conn.peName.length;
  return size;
}

/**
 * Writes a connection. Returns its size, without padding. The view has CONN_MOST bytes from `at`
 * on.
 */
export function writeConn(view: DataView, at: number, conn: SyncConn): number {
  const size = connSize(conn);
  view.setUint8(at, conn.family === 6 ? TYPE_INET6 : 0);
  view.setUint8(at + 1, conn.protocol);
  view.setUint16(at + 2, size & SIZE_MASK);
  view.setInt32(at + 4, conn.flags);
  view.setUint16(at + 8, conn.state);
  view.setUint16(at + 10, conn.cport);
  view.setUint16(at + 12, conn.vport);
  view.setUint16(at + 14, conn.dport);
  view.setInt32(at + 16, conn.fwmark);
  view.setInt32(at + 20, conn.timeout);
  writeOptions(view, writeAddresses(view, at + 24, conn), conn);
  return size;
}

function writeAddresses(view: DataView, at: number, { family, caddr, vaddr, daddr }: SyncConn): number {
  const first = family === 6 ? 0 : 3;
  let p = at;
  for (let i = first; i < 4; i++, p += 4) view.setInt32(p, caddr[i]!);
  for (let i = first; i < 4; i++, p += 4) view.setInt32(p, vaddr[i]!);
  for (let i = first; i < 4; i++, p += 4) view.setInt32(p, daddr[i]!);
  return p;
}

function writeOptions(view: DataView, at: number, conn: SyncConn): void {
  let p = at;
  if (conn.hasSequences) {
    view.setUint8(p, SEQUENCES);
    view.setUint8(p + 1, SEQUENCES_SIZE);
    for (let i = 0; i < 6; i++) view.setInt32(p + 2 + i * 4, conn.sequences[i]!);
    p += 2 + SEQUENCES_SIZE;
  }
  if (conn.peLength === 0) return;
  view.setUint8(p, PE_DATA);
  view.setUint8(p + 1, conn.peLength);
  for (let i = 0; i < conn.peLength; i++) view.setUint8(p + 2 + i, conn.peBytes[conn.peAt + i]!);
  p += 2 + conn.peLength;
  view.setUint8(p, PE_NAME);
  view.setUint8(p + 1, conn.peName.length);
  for (let i = 0; i < conn.peName.length; i++) view.setUint8(p + 2 + i, conn.peName.charCodeAt(i));
}

/**
 * What is wrong with received bytes. `dropped`: the rest of the message is dropped. `skipped`: one
 * connection is, and the next one is read.
 */
export const Fault = { none: 0, skipped: 1, dropped: 2 } as const;
export type FaultNumber = (typeof Fault)[keyof typeof Fault];

/**
 * Reads the connection that fills the bytes from `at` to `end`, without padding, into `conn`
 * (ip_vs_proc_sync_conn). Flags are masked as a backup does. `peBytes` of the record is the array
 * itself.
 */
export function readConn(bytes: Uint8Array, view: DataView, at: number, end: number, conn: SyncConn): FaultNumber {
  const type = view.getUint8(at);
  conn.family = (type & TYPE_INET6) !== 0 ? 6 : 4;
  if (conn.family === 4 && type !== 0) return Fault.dropped;
  if (at + (conn.family === 6 ? CONN_SIZE6 : CONN_SIZE4) > end) return Fault.dropped;
  conn.protocol = view.getUint8(at + 1);
  conn.flags = (view.getInt32(at + 4) & BACKUP_MASK) | SyncFlag.sync;
  conn.state = view.getUint16(at + 8);
  conn.cport = view.getUint16(at + 10);
  conn.vport = view.getUint16(at + 12);
  conn.dport = view.getUint16(at + 14);
  conn.fwmark = view.getInt32(at + 16);
  conn.timeout = view.getUint32(at + 20);
  const fault = readOptions(bytes, view, readAddresses(view, at + 24, conn), end, conn);
  return fault === Fault.none ? checkConn(conn) : fault;
}

function readAddresses(view: DataView, at: number, { family, caddr, vaddr, daddr }: SyncConn): number {
  const first = family === 6 ? 0 : 3;
  let p = at;
  for (let i = 0; i < first; i++) caddr[i] = vaddr[i] = daddr[i] = 0;
  for (let i = first; i < 4; i++, p += 4) caddr[i] = view.getInt32(p);
  for (let i = first; i < 4; i++, p += 4) vaddr[i] = view.getInt32(p);
  for (let i = first; i < 4; i++, p += 4) daddr[i] = view.getInt32(p);
  return p;
}

function readOptions(bytes: Uint8Array, view: DataView, from: number, end: number, conn: SyncConn): FaultNumber {
  conn.hasSequences = false;
  conn.peLength = 0;
  conn.peName = '';
  for (let p = from; p < end; ) {
    if (p + 2 > end) return Fault.dropped;
    const type = view.getUint8(p);
    const length = view.getUint8(p + 1);
    p += 2;
    if (length === 0 || p + length > end) return Fault.dropped;
    const fault = readOption(bytes, view, p, type, length, conn);
    if (fault !== Fault.none) return fault;
    p += length;
  }
  return Fault.none;
}

/** An option that occurs twice, or with a wrong length, makes the message malformed. */
function readOption(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  type: number,
  length: number,
  conn: SyncConn,
): FaultNumber {
  switch (type & ~OPTIONAL) {
    case SEQUENCES:
      if (length !== SEQUENCES_SIZE || conn.hasSequences) return Fault.dropped;
      conn.hasSequences = true;
      for (let i = 0; i < 6; i++) conn.sequences[i] = view.getInt32(at + i * 4);
      return Fault.none;
    case PE_DATA:
      if (conn.peLength !== 0) return Fault.dropped;
      conn.peBytes = bytes;
      conn.peAt = at;
      conn.peLength = length;
      return Fault.none;
    case PE_NAME:
      if (length > PE_NAME_MOST || conn.peName !== '') return Fault.dropped;
      conn.peName = latin1(bytes, at, length);
      return Fault.none;
    default:
      return (type & OPTIONAL) === 0 ? Fault.skipped : Fault.none;
  }
}

function latin1(bytes: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += String.fromCharCode(bytes[at + i]!);
  return text;
}

/** An unknown protocol or state, and PE data without the engine's name, concern one connection. */
export function checkConn(conn: SyncConn): FaultNumber {
  if (!conn.isTemplate && conn.state >= stateCount(conn.protocol)) return Fault.skipped;
  return conn.peLength !== 0 && conn.peName === '' ? Fault.skipped : Fault.none;
}

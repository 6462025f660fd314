/**
 * Connections of synchronisation messages, version 0 (sysctl sync_version 0): IPv4 only, without
 * timeout, mark and PE data. The sequence numbers have the byte order of the sender, which is
 * little-endian on every machine that ulvs runs on.
 *
 *      message     | connections | syncid | size 16 | connection | connection ...
 *      connection  | 0 | protocol | cport | vport | dport | caddr | vaddr | daddr | flags 16 | state 16 | sequence numbers ...
 */
import { BACKUP_MASK, checkConn, type FaultNumber, SEQUENCE_FLAGS, type SyncConn, SyncFlag } from './sync.js';

export const MESSAGE_HEADER_V0 = 4;
export const CONN_SIZE_V0 = 24;
const FULL_SIZE_V0 = CONN_SIZE_V0 + 24;

/** Bytes of the connection that begins at `at`; more than are left when it is cut off. */
export function connSizeV0(view: DataView, at: number, end: number): number {
  if (at + CONN_SIZE_V0 > end) return CONN_SIZE_V0;
  return (view.getUint16(at + 20) & SEQUENCE_FLAGS) !== 0 ? FULL_SIZE_V0 : CONN_SIZE_V0;
}

/** Reads the whole connection at `at` into `conn` (ip_vs_process_message_v0). */
export function readConnV0(view: DataView, at: number, conn: SyncConn): FaultNumber {
  conn.family = 4;
  conn.protocol = view.getUint8(at + 1);
  conn.cport = view.getUint16(at + 2);
  conn.vport = view.getUint16(at + 4);
  conn.dport = view.getUint16(at + 6);
  for (const [i, words] of [conn.caddr, conn.vaddr, conn.daddr].entries()) {
    words.fill(0);
    words[3] = view.getInt32(at + 8 + i * 4);
  }
  conn.flags = (view.getUint16(at + 20) & BACKUP_MASK) | SyncFlag.sync;
  conn.state = view.getUint16(at + 22);
  conn.fwmark = 0;
  conn.timeout = 0;
  conn.peLength = 0;
  conn.peName = '';
  conn.hasSequences = (conn.flags & SEQUENCE_FLAGS) !== 0;
  if (conn.hasSequences) for (let i = 0; i < 6; i++) conn.sequences[i] = view.getInt32(at + 24 + i * 4, true);
  return checkConn(conn);
}

/** Writes an IPv4 connection. Returns its size. */
export function writeConnV0(view: DataView, at: number, conn: SyncConn): number {
  view.setUint8(at, 0);
  view.setUint8(at + 1, conn.protocol);
  view.setUint16(at + 2, conn.cport);
  view.setUint16(at + 4, conn.vport);
  view.setUint16(at + 6, conn.dport);
  view.setInt32(at + 8, conn.caddr[3]!);
  view.setInt32(at + 12, conn.vaddr[3]!);
  view.setInt32(at + 16, conn.daddr[3]!);
  view.setUint16(at + 20, conn.flags & 0xffff);
  view.setUint16(at + 22, conn.state);
  if (!conn.hasSequences) return CONN_SIZE_V0;
  for (let i = 0; i < 6; i++) view.setInt32(at + 24 + i * 4, conn.sequences[i]!, true);
  return FULL_SIZE_V0;
}

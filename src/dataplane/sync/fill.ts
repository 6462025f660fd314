/** Fills a SyncConn from a line of the connection table (ip_vs_sync_conn). */
import { copyKey, engineOf, KEY_CADDR } from '../../conntrack/engine-templates.js';
import {
  CADDR,
  CONN_ASSURED,
  CONN_ENGINE_KEY,
  CONN_HELPER,
  CONN_IPV6,
  CONN_TEMPLATE,
  CONTROL,
  DADDR,
  DEST,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  KEY,
  PORTS,
  TICKS,
  TIMEOUT,
  VADDR,
  WIDE_CADDR,
  WIDE_DADDR,
  WIDE_VADDR,
} from '../../conntrack/entry.js';
import { MARK, SYNC_SHIFT } from '../../conntrack/sync-state.js';
import { type SyncConn, SyncFlag } from '../../wire/sync.js';
import type { Director } from '../director.js';

/** The flags that IPVS has, without HASHED. */
const SENT_FLAGS =
  SyncFlag.method |
  SyncFlag.sync |
  SyncFlag.noOutput |
  SyncFlag.inactive |
  SyncFlag.noCport |
  SyncFlag.template |
  SyncFlag.onePacket;
const key = new Uint8Array(256);

/** The name of a persistence engine by its number. */
export type EngineName = (number: number) => string;

export function fillConn(d: Director, entry: number, conn: SyncConn, nameOf: EngineName, sequences: boolean): void {
  const { words } = d.connections;
  const at = entry << ENTRY_SHIFT;
  const flags = words[at + FLAGS]!;
  conn.family = (flags & CONN_IPV6) !== 0 ? 6 : 4;
  conn.protocol = d.connections.protocolOf(entry);
  conn.flags = (flags & SENT_FLAGS) | trackedFlag(d, at, flags);
  conn.state = (flags & CONN_TEMPLATE) === 0 ? d.connections.stateOf(entry) : (flags & CONN_ASSURED) === 0 ? 0 : 1;
  conn.cport = words[at + PORTS]! >>> 16;
  conn.vport = words[at + PORTS]! & 0xffff;
  conn.dport = words[at + DPORT_PROTO_STATE]! >>> 16;
  conn.fwmark = markOf(d, entry, at);
  conn.timeout = Math.floor(words[at + TIMEOUT]! / TICKS);
  fillAddresses(words, at, flags, conn);
  fillEngine(words, entry, flags, conn, nameOf);
  conn.hasSequences = false;
  if (sequences && (flags & CONN_HELPER) !== 0) fillSequences(d, entry, conn);
}

/** IP_VS_CONN_F_NFCT: the kernel sets it for control and data connections of its FTP helper. */
function trackedFlag(d: Director, at: number, flags: number): number {
  const { words } = d.connections;
  const parent = words[at + CONTROL]!;
  const isData = parent !== 0 && (words[(parent << ENTRY_SHIFT) + FLAGS]! & CONN_TEMPLATE) === 0;
  return (flags & CONN_HELPER) !== 0 || isData ? SyncFlag.conntrack : 0;
}

/** A connection from before the daemon's start has the mark of its service. */
function markOf(d: Director, entry: number, at: number): number {
  const mark = d.connections.sync!.words[(entry << SYNC_SHIFT) + MARK]!;
  if (mark !== 0) return mark;
  const slot = d.connections.words[at + DEST]!;
  return slot === 0 ? 0 : (d.dests[slot - 1]?.service.fwmark ?? 0);
}

function fillAddresses(words: Int32Array, at: number, flags: number, { caddr, vaddr, daddr }: SyncConn): void {
  if ((flags & CONN_IPV6) === 0) {
    caddr[3] =
      (flags & CONN_ENGINE_KEY) === 0 ? words[at + CADDR]! : words[(words[at + KEY]! << ENTRY_SHIFT) + KEY_CADDR]!;
    vaddr[3] = words[at + VADDR]!;
    daddr[3] = words[at + DADDR]!;
    return;
  }
  const wide = words[at + DADDR]! << ENTRY_SHIFT;
  for (let i = 0; i < 4; i++) {
    caddr[i] = words[wide + WIDE_CADDR + i]!;
    vaddr[i] = words[wide + WIDE_VADDR + i]!;
    daddr[i] = words[wide + WIDE_DADDR + i]!;
  }
}

function fillEngine(words: Int32Array, entry: number, flags: number, conn: SyncConn, nameOf: EngineName): void {
  conn.peLength = 0;
  if ((flags & CONN_ENGINE_KEY) === 0) return;
  conn.peBytes = key;
  conn.peAt = 0;
  conn.peLength = copyKey(words, entry, key);
  conn.peName = nameOf(engineOf(words, entry));
}

/** The numbers of the destination's side, which the FTP helper shifted. The client's are never. */
function fillSequences(d: Director, entry: number, conn: SyncConn): void {
  const shift = d.connections.seqAdj.get(entry)?.shift;
  if (shift === undefined || !shift.isShifted) return;
  conn.hasSequences = true;
  conn.flags |= SyncFlag.outSeq;
  conn.sequences.fill(0);
  shift.write(conn.sequences, 3);
}

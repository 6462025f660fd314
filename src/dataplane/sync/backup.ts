/**
 * The backup's side of synchronisation: a received connection becomes one of the table, or changes
 * the one that is there (ip_vs_proc_conn).
 *
 *      found ─┬─ other destination ─┬─ active ───► ends, a new one is made
 *             │                     └─ inactive ─► nothing: the message is older than the connection
 *             ├─ without destination ───────────► bound, if there is one now (ip_vs_try_bind_dest)
 *             └─ activity, state, timeout, sequence numbers change
 *      none ─► a new one; without a destination it works by the method of the message
 */
import { findEngineTemplate, setEngineKey, TemplateKey } from '../../conntrack/engine-templates.js';
import {
  CONN_ASSURED,
  CONN_ENGINE_KEY,
  CONN_FULLNAT,
  CONN_HELPER,
  CONN_INACTIVE,
  CONN_NOOUTPUT,
  DADDR,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  EXPIRES,
  FLAGS,
  METHOD_MASK,
  PACKETS,
  TICKS,
  TIMEOUT,
  WIDE_DADDR,
} from '../../conntrack/entry.js';
import { fillEntry, findIn6, findTemplate } from '../../conntrack/find-wide.js';
import { OLD, SENT, SYNC_SHIFT } from '../../conntrack/sync-state.js';
import { type Destination, Method } from '../../service/service.js';
import { SCTP, TCP, UDP } from '../../wire/ipv4.js';
import { SEQUENCE_FLAGS, type SyncConn, SyncFlag } from '../../wire/sync.js';
import type { Director } from '../director.js';
import { flagsFor } from '../schedule/new-conn.js';

/** Timeout of a template, in seconds, when the message has none. */
const UNKNOWN_TIMEOUT = 180;
/** Longest timeout in seconds, as of conntrack/rebuild/sound.ts. */
const LONGEST = 8_589_934;

/** The number of a persistence engine by its name; 0: there is none. */
export type EngineNumber = (name: string) => number;

const key = new TemplateKey();

/**
 * Takes one connection of a message. `since`: of an answer to a request for everything, the tick of
 * the request; what this director has handled since is newer. Returns false when it was not taken.
 */
export function takeConn(d: Director, conn: SyncConn, numberOf: EngineNumber, since?: number): boolean {
  const named = conn.peLength === 0 ? 0 : numberOf(conn.peName);
  const engine = conn.isTemplate ? named : 0;
  if ((conn.peLength !== 0 && named === 0) || (conn.isTemplate && conn.cport !== 0)) return false;
  if (conn.isTemplate) fillKey(conn, engine);
  let entry = conn.isTemplate ? findOwnTemplate(d, conn) : findOwn(d, conn);
  if (entry !== 0 && since !== undefined && isHandledSince(d, entry, since)) return false;
  if (entry !== 0 && !conn.isTemplate && !isSameDestination(d, entry, conn)) {
    if ((conn.flags & SyncFlag.inactive) !== 0) return false;
    d.connections.expireNow(entry);
    entry = 0;
  }
  if (entry === 0) entry = openConn(d, conn, engine);
  else update(d, entry, conn);
  if (entry === 0) return false;
  setProgress(d, entry, conn);
  return true;
}

/** A packet or message has set its timer at `since` (in ticks) or later. */
function isHandledSince(d: Director, entry: number, since: number): boolean {
  const { words } = d.connections;
  const at = entry << ENTRY_SHIFT;
  return ((words[at + EXPIRES]! - words[at + TIMEOUT]! - since) | 0) >= 0;
}

function findOwn(d: Director, conn: SyncConn): number {
  const entry = findPorts(d, conn, (conn.cport << 16) | conn.vport);
  return entry === 0 && d.connections.withoutPort !== 0 ? findPorts(d, conn, conn.vport) : entry;
}

function findPorts(d: Director, { family, protocol, caddr, vaddr }: SyncConn, ports: number): number {
  const { table } = d.connections;
  const entry =
    family === 4 ? table.findIn4(protocol, caddr[3]!, vaddr[3]!, ports) : findIn6(table, protocol, caddr, vaddr, ports);
  return current(d, entry);
}

function fillKey(conn: SyncConn, engine: number): void {
  key.family = conn.family;
  key.protocol = conn.protocol;
  key.vport = conn.vport;
  key.caddr.set(conn.caddr);
  key.vaddr.set(conn.vaddr);
  key.engine = engine;
  key.bytes = conn.peBytes;
  key.at = conn.peAt;
  key.length = conn.peLength;
}

function findOwnTemplate(d: Director, { family, protocol, caddr, vaddr, vport }: SyncConn): number {
  const { table } = d.connections;
  if (key.engine !== 0) return current(d, findEngineTemplate(table, key));
  return current(d, findTemplate(table, family, protocol, caddr, vaddr, vport));
}

function current(d: Director, entry: number): number {
  if (entry === 0 || !d.connections.ended(entry)) return entry;
  d.connections.expireNow(entry);
  return 0;
}

function isSameDestination(d: Director, entry: number, { family, daddr, dport }: SyncConn): boolean {
  const { words } = d.connections;
  const at = entry << ENTRY_SHIFT;
  if (words[at + DPORT_PROTO_STATE]! >>> 16 !== dport || (words[at + FLAGS]! & CONN_FULLNAT) !== 0) return false;
  if (family === 4) return words[at + DADDR] === daddr[3];
  const wide = (words[at + DADDR]! << ENTRY_SHIFT) + WIDE_DADDR;
  for (let i = 0; i < 4; i++) if (words[wide + i] !== daddr[i]) return false;
  return true;
}

/** Returns the new entry; 0: the table is full, or the destination's method cannot take it over. */
function openConn(d: Director, conn: SyncConn, engine: number): number {
  const dest = destOf(d, conn);
  if ((dest?.method ?? conn.flags & METHOD_MASK) > Method.bypass) return 0;
  const { connections } = d;
  const { table } = connections;
  const entry = table.alloc();
  if (entry === 0) return 0;
  const { family, protocol, caddr, cport, vaddr, vport, daddr, dport } = conn;
  const filled = fillEntry(table, entry, family, protocol, caddr, cport, vaddr, vport, daddr, dport) !== 0;
  if (!filled || (engine !== 0 && !setEngineKey(table, entry, key))) {
    table.free(entry);
    return 0;
  }
  connections.open(entry, dest, (conn.flags & ~SEQUENCE_FLAGS & ~METHOD_FLAGS) | methodFlags(conn, dest));
  if (conn.fwmark !== 0) connections.sync?.setMark(entry, conn.fwmark);
  return entry;
}

const METHOD_FLAGS = METHOD_MASK | CONN_NOOUTPUT;

/** The forwarding method is that of the destination; a template is inactive. */
function methodFlags(conn: SyncConn, dest: Destination | undefined): number {
  if (dest === undefined) return conn.flags & METHOD_FLAGS;
  const flags = flagsFor(dest, conn.family);
  return conn.isTemplate ? flags : flags & ~CONN_INACTIVE;
}

/** The destination of the message among those of the service (ip_vs_find_dest). */
function destOf(d: Director, conn: SyncConn): Destination | undefined {
  const { family, fwmark, protocol, vaddr, vport, flags } = conn;
  const service =
    family === 4
      ? d.services.find4(fwmark, protocol, vaddr[3]!, vport)
      : d.services.find6(fwmark, protocol, vaddr, vport);
  const first = fwmark !== 0 && (flags & METHOD_MASK) !== Method.masq ? 0 : conn.dport;
  return (
    service?.destinations.find((dest) => isDest(dest, conn, first)) ??
    service?.destinations.find((dest) => isDest(dest, conn, first ^ conn.dport))
  );
}

function isDest(dest: Destination, { family, daddr }: SyncConn, port: number): boolean {
  if (dest.family !== family || dest.port !== port) return false;
  if (family === 4) return dest.address === daddr[3];
  for (let i = 0; i < 4; i++) if (dest.address6[i] !== daddr[i]) return false;
  return true;
}

function update(d: Director, entry: number, conn: SyncConn): void {
  const { connections } = d;
  connections.setInactive(entry, (conn.flags & SyncFlag.inactive) !== 0);
  if (connections.destOf(entry) !== undefined) return;
  const dest = destOf(d, conn);
  if (dest === undefined || dest.method === Method.fullnat) return;
  connections.bindLater(entry, dest, flagsFor(dest, conn.family) & METHOD_FLAGS);
}

/** State, count of packets, timeout and sequence numbers. */
function setProgress(d: Director, entry: number, conn: SyncConn): void {
  const { connections } = d;
  const { words } = connections;
  const at = entry << ENTRY_SHIFT;
  if (conn.isTemplate) words[at + FLAGS] = (words[at + FLAGS]! & ~CONN_ASSURED) | (conn.state === 1 ? CONN_ASSURED : 0);
  else words[at + DPORT_PROTO_STATE] = (words[at + DPORT_PROTO_STATE]! & ~0xff) | conn.state;
  if ((words[at + FLAGS]! & CONN_ENGINE_KEY) === 0) words[at + PACKETS] = d.sysctl.sync_threshold;
  if (connections.sync !== undefined) {
    connections.sync.words[(entry << SYNC_SHIFT) + SENT] = d.sysctl.sync_threshold;
    connections.sync.words[(entry << SYNC_SHIFT) + OLD] = conn.state;
  }
  if (conn.hasSequences && (words[at + FLAGS]! & CONN_HELPER) !== 0) setSequences(d, entry, conn);
  connections.setTimeout(entry, Math.min(timeoutOf(d, conn), LONGEST * TICKS));
  connections.settle(entry);
}

function setSequences(d: Director, entry: number, { sequences }: SyncConn): void {
  d.connections.seqAdjOf(entry).shift.read(sequences, 3);
}

/** In ticks. */
function timeoutOf(d: Director, { isTemplate, protocol, state, timeout }: SyncConn): number {
  const { timeouts } = d.connections.states;
  if (timeout !== 0) return Math.min(timeout, LONGEST) * TICKS;
  if (isTemplate) return UNKNOWN_TIMEOUT * TICKS;
  if (protocol === TCP) return timeouts.tcp[state]!;
  if (protocol === SCTP) return timeouts.sctp[state]!;
  return protocol === UDP ? timeouts.udp : UNKNOWN_TIMEOUT * TICKS;
}

/**
 * The FTP helper of LVS-NAT (ip_vs_ftp): reads established control connections, creates the data
 * connections that they announce, and puts the virtual address into the server's answers.
 */
import {
  CONN_INACTIVE,
  CONN_NO_CPORT,
  CONN_NOOUTPUT,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  PORTS,
} from '../../conntrack/entry.js';
import { listen } from '../../conntrack/expected.js';
import { fillEntry } from '../../conntrack/find-wide.js';
import type { SeqAdj } from '../../conntrack/seqadj.js';
import { Tcp } from '../../conntrack/tcp.js';
import { Method } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';
import * as tcp from '../../wire/tcp.js';
import type { Director } from '../director.js';
import { shiftFromClient, shiftFromDestination } from '../nat/shift.js';
import { sendIcmp4, sendIcmp6 } from '../output/icmp-error.js';
import { drop } from '../output/verdict.js';
import { findFromClient, findFromDestination, readClient, readDestination, readVirtual } from './find-conn.js';
import { isIntact, payloadAt, replace } from './tcp-segment.js';
import { Awaits, activeCommand, announce, passiveAnswer, passiveCommand } from './text.js';

/**
 * Handles a client's segment of a control connection. Returns false when the segment was dropped.
 */
export function ftpIn(d: Director, entry: number): boolean {
  if (!isIntact(d)) return refuse(d, Drop.badChecksum);
  if (hasText(d, entry) && !readCommand(d, entry)) return refuse(d, Drop.tableFull);
  const seqAdj = d.connections.seqAdj.get(entry);
  if (seqAdj?.shift.isShifted) shiftFromClient(d, seqAdj.shift);
  return true;
}

/**
 * Handles a destination's segment of a control connection. Returns false when the segment was
 * dropped.
 */
export function ftpOut(d: Director, entry: number): boolean {
  if (!isIntact(d)) return refuse(d, Drop.badChecksum);
  const seqAdj = d.connections.seqAdj.get(entry);
  if (seqAdj === undefined) return true;
  const seq = tcp.seq(d.umem.view, d.packet.l4);
  if (seqAdj.awaits !== Awaits.nothing && hasText(d, entry)) {
    const reason = answer(d, entry, seqAdj, seq);
    if (reason !== 0) return refuse(d, reason);
  }
  if (seqAdj.shift.isShifted) shiftFromDestination(d, seqAdj.shift, seq);
  return true;
}

/**
 * An answer may have become longer than the route allows. The kernel notices this after the
 * translation, so the ICMP error to the destination comes from the VIP. Returns false when the
 * segment was dropped.
 */
export function answerFitsOrDrop(d: Director, entry: number, mtu: number): boolean {
  const p = d.packet;
  // A packet that arrived in fragments leaves in fragments.
  if (p.l3len <= mtu || p.parts !== 0 || (p.family === 4 && !p.dontFragment)) return true;
  readVirtual(d, entry, vaddr);
  p.dst = vaddr[3]!;
  p.dst6.set(vaddr);
  if (p.family === 4) sendIcmp4(d, icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED, mtu, true);
  else sendIcmp6(d, icmp6.PACKET_TOO_BIG, 0, mtu, true);
  return refuse(d, Drop.mtuExceeded);
}

function refuse(d: Director, reason: number): false {
  drop(d, reason);
  return false;
}

function hasText(d: Director, entry: number): boolean {
  return d.connections.stateOf(entry) === Tcp.ESTABLISHED && payloadAt(d) !== 0;
}

function textOf(d: Director): string {
  const p = d.packet;
  const { buffer } = d.umem;
  const at = payloadAt(d);
  return Buffer.from(buffer, at, p.l4 + p.l4len - at).toString('latin1');
}

/** Returns false when a data connection could not be created. */
function readCommand(d: Director, entry: number): boolean {
  const { family } = d.packet;
  const text = textOf(d);
  const passive = passiveCommand(text, family);
  if (passive !== undefined) {
    if (passive !== Awaits.nothing) d.connections.seqAdjOf(entry).awaits = passive;
    return true;
  }
  const target = activeCommand(text, family);
  if (target?.address === undefined) return true;
  const seqAdj = d.connections.seqAdj.get(entry);
  if (seqAdj !== undefined) seqAdj.awaits = Awaits.nothing;
  return expectActive(d, entry, target.address, target.port);
}

const caddr = new Int32Array(4);
const vaddr = new Int32Array(4);
const daddr = new Int32Array(4);

/** On both sides the data port is the control port minus one. */
function expectActive(d: Director, entry: number, client: Int32Array, cport: number): boolean {
  const { words } = d.connections;
  const at = entry << ENTRY_SHIFT;
  const vport = ((words[at + PORTS]! & 0xffff) - 1) & 0xffff;
  const dport = ((words[at + DPORT_PROTO_STATE]! >>> 16) - 1) & 0xffff;
  readVirtual(d, entry, vaddr);
  readDestination(d, entry, daddr);
  let data = findFromClient(d, client, cport, vaddr, vport);
  if (data === 0) data = open(d, entry, client, cport, vport, daddr, dport, 0);
  if (data !== 0) listen(d.connections, data);
  return data !== 0;
}

/** Returns a drop reason, 0 for a segment that goes on. */
function answer(d: Director, entry: number, seqAdj: SeqAdj, seq: number): number {
  const { awaits } = seqAdj;
  const found = passiveAnswer(textOf(d), d.packet.family, awaits);
  if (found === undefined) return 0;
  if (found.address === undefined) readDestination(d, entry, daddr);
  else daddr.set(found.address);
  const data = expectPassive(d, entry, found.port);
  if (data === 0) return Drop.tableFull;
  readVirtual(d, data, vaddr);
  const text = announce(awaits, vaddr[3]!, d.connections.words[(data << ENTRY_SHIFT) + PORTS]! & 0xffff);
  if (!replace(d, payloadAt(d) + found.start, found.length, text)) return Drop.noFrame;
  seqAdj.shift.resized(seq, text.length - found.length);
  seqAdj.awaits = Awaits.nothing;
  return 0;
}

/** The server listens at `daddr`:`port` for the client, whatever port the client uses. */
function expectPassive(d: Director, entry: number, port: number): number {
  readClient(d, entry, caddr);
  readVirtual(d, entry, vaddr);
  let data = findFromDestination(d, daddr, port, caddr, 0);
  if (data === 0) data = open(d, entry, caddr, 0, port, daddr, port, CONN_NO_CPORT);
  if (data !== 0) listen(d.connections, data);
  return data;
}

/**
 * Creates a data connection with the parent's virtual address and destination, controlled by
 * `parent`. Returns 0 when the table is full.
 */
function open(
  d: Director,
  parent: number,
  client: Int32Array,
  cport: number,
  vport: number,
  target: Int32Array,
  dport: number,
  extra: number,
): number {
  const { connections, packet } = d;
  const { table } = connections;
  const dest = connections.destOf(parent);
  const entry = table.alloc();
  if (entry === 0) return 0;
  if (fillEntry(table, entry, packet.family, packet.protocol, client, cport, vaddr, vport, target, dport) === 0) {
    table.free(entry);
    return 0;
  }
  const method = dest?.method ?? Method.masq;
  connections.open(entry, dest, method | CONN_INACTIVE | (method === Method.masq ? 0 : CONN_NOOUTPUT) | extra);
  connections.control(entry, parent);
  return entry;
}

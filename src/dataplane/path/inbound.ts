/**
 * Packets from clients, as in the kernel's ip_vs_in_hook (docs/ipvs-reference.md section 3): find
 * the connection or schedule one, check its destination, set its state, send by its forwarding
 * method.
 */

import { CONN_ONE_PACKET, CONN_OUTGOING, CONN_SYNC, ENTRY_SHIFT, PACKETS } from '../../conntrack/entry.js';
import { findIn6 } from '../../conntrack/find-wide.js';
import { Sctp } from '../../conntrack/sctp.js';
import { Direction } from '../../conntrack/states.js';
import { Tcp } from '../../conntrack/tcp.js';
import { type Destination, Method, type VirtualService } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import * as ipv4 from '../../wire/ipv4.js';
import { countIn, setState } from '../account.js';
import type { Director } from '../director.js';
import { drop } from '../output/verdict.js';
import { TCP_RST, TCP_SYN } from '../parse/packet.js';
import { ANSWERED, UNWANTED } from '../schedule/new-conn.js';
import { openScheduled, schedule } from '../schedule/schedule.js';
import { xmit } from '../xmit/xmit.js';
import { isBeingReset, resetByClient } from './reset.js';
import { FIRST_WAIT, isAwaiting } from './synproxy.js';

/** Handles a packet that belongs to a connection or a service; none for any other. */
export function inbound(d: Director): Verdict {
  // Is the protocol supported?
  const { protocol } = d.packet;
  if (protocol !== ipv4.TCP && protocol !== ipv4.UDP && protocol !== ipv4.SCTP) return Verdict.none;
  // Does a backup balance? (sysctl_backup_only)
  if (d.backupOnly) return Verdict.none;
  // Does the packet belong to an existing connection? (conn_in_get)
  const entry = findIn(d);
  if (entry !== 0) d.traced?.noteConnection(entry, 'client');
  // Is it being reset? A SYN opens a new one in its place.
  if (entry !== 0 && isBeingReset(d, entry) && d.packet.parts === 0 && (d.packet.tcpFlags & TCP_SYN) === 0)
    return resetByClient(d, entry);
  // Does the SYN proxy wait for the destination?
  if (entry !== 0 && isAwaiting(d, entry)) return holdBack(d, entry);
  let old = 0;
  // Does it open a new connection in place of a finished one? (is_new_conn)
  if (entry !== 0 && opensConnection(d) && startsOver(d, entry)) old = entry;
  // Is the destination still there?
  else if (entry !== 0 && !isServed(d, entry)) {
    if (d.sysctl.expire_nodest_conn === 0) return drop(d, Drop.destinationRemoved);
    old = entry;
  }
  // No connection: schedule one (ip_vs_try_to_schedule).
  if (entry === old) return open(d, old);
  // Count the packet, set the state, send it (packet_xmit).
  return forwardIn(d, entry, false);
}

/**
 * Opens a new connection that replaces `old` (0: none). The kernel ends the old one by a timer that
 * is due at once. So the old one still counts for its destination while the new one is scheduled,
 * and errors about this packet may find it. With children it stays until they are gone, but
 * look-ups find the new one first.
 */
function open(d: Director, old: number): Verdict {
  d.packet.replaced = old;
  const verdict = forwardNew(d, schedule(d));
  d.packet.replaced = 0;
  if (old !== 0) d.connections.expireNow(old);
  return verdict;
}

/** `entry`: a new connection, UNWANTED or DROPPED, as `schedule` returns it. */
function forwardNew(d: Director, entry: number): Verdict {
  if (entry > 0) return forwardIn(d, entry, true);
  if (entry === ANSWERED) return Verdict.delivered;
  return entry === UNWANTED ? Verdict.none : Verdict.dropped;
}

/** The client may send nothing yet, and sends it again. A RST of it ends the connection. */
function holdBack(d: Director, entry: number): FinalVerdict {
  if ((d.packet.tcpFlags & TCP_RST) === 0) return drop(d, Drop.synProxyWaits);
  const verdict = forwardIn(d, entry, false);
  d.connections.remove(entry);
  return verdict;
}

/**
 * Opens a connection for the current packet at the destination that the scheduler has already
 * chosen.
 */
export function inboundScheduled(d: Director, service: VirtualService, dest: Destination | null): Verdict {
  return forwardNew(d, openScheduled(d, service, dest));
}

function forwardIn(d: Director, entry: number, fresh: boolean): FinalVerdict {
  const { connections } = d;
  countIn(d, entry);
  setState(d, entry, Direction.input);
  const onePacket = (connections.flagsOf(entry) & CONN_ONE_PACKET) !== 0;
  connections.countPacket(entry);
  if (fresh && isAwaiting(d, entry)) connections.setTimeout(entry, FIRST_WAIT);
  if (fresh && !onePacket) connections.settle(entry);
  else if (!onePacket) connections.touch(entry);
  const verdict = xmit(d, entry);
  // Do backups need to know? (ip_vs_sync_conn)
  if (d.sync !== undefined)
    d.sync.offer(entry, onePacket ? d.sysctl.sync_threshold : connections.words[(entry << ENTRY_SHIFT) + PACKETS]!);
  if (onePacket) connections.release(entry);
  return verdict;
}

function findIn(d: Director): number {
  const p = d.packet;
  const entry = findPorts(d, (p.sport << 16) | p.dport);
  // The first packet of an expected connection tells the client's port.
  return entry === 0 && d.connections.withoutPort !== 0 ? findPorts(d, p.dport) : entry;
}

function findPorts(d: Director, ports: number): number {
  const p = d.packet;
  const { table } = d.connections;
  const entry =
    p.family === 4 ? table.findIn4(p.protocol, p.src, p.dst, ports) : findIn6(table, p.protocol, p.src6, p.dst6, ports);
  if (entry === 0 || !d.connections.ended(entry)) return entry;
  d.connections.expireNow(entry);
  return 0;
}

function opensConnection(d: Director): boolean {
  const p = d.packet;
  if (p.protocol === ipv4.TCP) return (p.tcpFlags & TCP_SYN) !== 0;
  return p.protocol === ipv4.SCTP && p.l4len >= 13 && d.umem.view.getUint8(p.l4 + 12) === 1;
}

/**
 * A SYN on a finished connection, or on one whose destination is quiesced, starts a new connection
 * (conn_reuse_mode).
 */
function startsOver(d: Director, entry: number): boolean {
  const { connections } = d;
  if (isBeingReset(d, entry)) return true;
  const quiesced = d.sysctl.expire_nodest_conn !== 0 && connections.destOf(entry)?.weight === 0;
  return quiesced || (d.sysctl.conn_reuse_mode !== 0 && isFinished(d, entry));
}

/** The kernel's is_new_conn_expected. */
function isFinished(d: Director, entry: number): boolean {
  const { connections } = d;
  if (connections.isControlled(entry)) return false;
  const state = connections.stateOf(entry);
  if (d.packet.protocol === ipv4.SCTP) return state === Sctp.CLOSED;
  if (state === Tcp.TIME_WAIT || state === Tcp.CLOSE) return true;
  return (d.sysctl.conn_reuse_mode & 2) !== 0 && state === Tcp.FIN_WAIT && connections.hasNoOutput(entry);
}

/**
 * Returns true while the connection's destination exists. Connections of bypass and snat need none;
 * one that came by synchronisation works before its destination is there.
 */
function isServed(d: Director, entry: number): boolean {
  const dest = d.connections.destOf(entry);
  if (dest !== undefined) return dest.available;
  return (
    d.connections.methodOf(entry) === Method.bypass ||
    (d.connections.flagsOf(entry) & (CONN_OUTGOING | CONN_SYNC)) !== 0
  );
}

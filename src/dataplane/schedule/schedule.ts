/**
 * Schedules a packet without a connection: may it open one, for which service, at which
 * destination? The order of the checks is that of ip_vs_schedule.
 */
import type { Destination, VirtualService } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { NEW_CONN_LINES } from '../early-drop.js';
import { drop } from '../output/verdict.js';
import { type PacketInfo, TCP_RST, TCP_SYN } from '../parse/packet.js';
import type { Quote } from '../parse/quote.js';
import { DROPPED, FTP_DATA, openFor, UNWANTED } from './new-conn.js';
import { scheduleNoDest } from './no-dest.js';
import { schedulePersistent } from './persistence.js';

/** Returns the new connection, UNWANTED without a service, or DROPPED (ip_vs_try_to_schedule). */
export function schedule(d: Director): number {
  const p = d.packet;
  // Does the protocol let this packet open a connection? (tcp_conn_schedule and its like)
  if (!mayOpen(d, p)) return UNWANTED;
  // Which service? (ip_vs_service_find)
  const service =
    p.family === 4
      ? d.services.find4(p.mark, p.protocol, p.dst, p.dport)
      : d.services.find6(p.mark, p.protocol, p.dst6, p.dport);
  if (service === undefined || p.sport === FTP_DATA) return UNWANTED;
  d.traced?.noteService(service);
  return scheduleFor(d, service);
}

/**
 * sysctl schedule_icmp: the packet that the current ICMP error quotes, seen from the client's side,
 * may open a connection. The new connection has the state NONE and its first timeout; the next real
 * packet finds it.
 */
export function scheduleQuoted(d: Director, quote: Quote): number {
  const p = d.packet;
  const { protocol } = p;
  p.quoted = true;
  p.protocol = quote.protocol;
  p.src = quote.dst;
  p.dst = quote.src;
  p.src6.set(quote.dst6);
  p.dst6.set(quote.src6);
  p.sport = quote.dport;
  p.dport = quote.sport;
  const entry = schedule(d);
  p.quoted = false;
  p.protocol = protocol;
  readAddresses(d.umem.view, p);
  return entry;
}

function readAddresses(view: DataView, p: PacketInfo): void {
  p.sport = 0;
  p.dport = 0;
  if (p.family === 4) {
    p.src = ipv4.src(view, p.l3);
    p.dst = ipv4.dst(view, p.l3);
  } else {
    ipv6.readSrc(view, p.l3, p.src6);
    ipv6.readDst(view, p.l3, p.dst6);
  }
}

/**
 * TCP opens with a SYN, SCTP with an INIT, UDP with any packet. sysctl sloppy_tcp and sloppy_sctp
 * lift the first two rules.
 */
function mayOpen(d: Director, p: PacketInfo): boolean {
  if (p.protocol === ipv4.UDP || p.quoted) return true;
  if (p.protocol === ipv4.TCP)
    return (p.tcpFlags & TCP_RST) === 0 && ((p.tcpFlags & TCP_SYN) !== 0 || d.sysctl.sloppy_tcp !== 0);
  if (p.l4len < 16) return false;
  const chunk = d.umem.view.getUint8(p.l4 + 12);
  return chunk !== 6 && (chunk === 1 || d.sysctl.sloppy_sctp !== 0);
}

function scheduleFor(d: Director, service: VirtualService): number {
  const p = d.packet;
  // Is the director short of memory? (ip_vs_todrop)
  if (d.defence.drops()) {
    drop(d, Drop.defence);
    return DROPPED;
  }
  // Is the table full? (connections that nobody confirmed make room)
  if (d.sysctl.early_drop !== 0 && isAlmostFull(d)) d.earlyDrop.makeRoom();
  // Persistent: by template (ip_vs_sched_persist).
  if (service.persistent) return schedulePersistent(d, service);
  // Without persistence a service takes its own port only.
  if (service.fwmark === 0 && p.dport !== service.port) return UNWANTED;
  // Which destination? (sched->schedule)
  const dest = service.schedule.schedule(p, d.now);
  d.traced?.noteChoice(service, dest);
  return openScheduled(d, service, dest);
}

/** The table may lack the lines that a new connection needs. */
function isAlmostFull({ connections: { table } }: Director): boolean {
  return table.maxEntries - table.live < NEW_CONN_LINES;
}

/** Opens a connection at the scheduler's choice `dest`; without one, acts as ip_vs_leave does. */
export function openScheduled(d: Director, service: VirtualService, dest: Destination | null): number {
  if (dest === null) return scheduleNoDest(d, service);
  return openFor(d, service, dest, dest.port !== 0 ? dest.port : d.packet.dport);
}

/**
 * Schedules a packet without a connection: may it open one, for which service, at which
 * destination? The order of the checks is that of ip_vs_schedule.
 */
import type { Destination, VirtualService } from '../../service/service.js';
import type { SynProxy } from '../../service/syn-proxy.js';
import { Drop } from '../../stats/drops.js';
import { Verdict } from '../../stats/verdict.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { NEW_CONN_LINES } from '../early-drop.js';
import { drop } from '../output/verdict.js';
import { type PacketInfo, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../parse/packet.js';
import type { Quote } from '../parse/quote.js';
import { answerByCookie } from '../synproxy/answer.js';
import { becomeSyn, proves } from '../synproxy/open.js';
import { ANSWERED, DROPPED, FTP_DATA, openFor, UNWANTED } from './new-conn.js';
import { scheduleNoDest } from './no-dest.js';
import { schedulePersistent } from './persistence.js';

/**
 * Returns the new connection, UNWANTED without a service, DROPPED (ip_vs_try_to_schedule), or
 * ANSWERED.
 */
export function schedule(d: Director): number {
  const p = d.packet;
  // Does the protocol let this packet open a connection? (tcp_conn_schedule and its like)
  const opens = mayOpen(d, p);
  if (!opens && !(d.synFloods.some && isAcknowledgement(p))) return UNWANTED;
  // Which service? (ip_vs_service_find)
  const service =
    p.family === 4
      ? d.services.find4(p.mark, p.protocol, p.dst, p.dport)
      : d.services.find6(p.mark, p.protocol, p.dst6, p.dport);
  if (service === undefined || p.sport === FTP_DATA) return UNWANTED;
  d.traced?.noteService(service);
  // Does the SYN proxy speak for it?
  if (service.synProxy !== undefined && !p.quoted) return scheduleBehindProxy(d, service, service.synProxy, opens);
  return opens ? scheduleFor(d, service) : UNWANTED;
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

/**
 * A service with a SYN proxy: while it is on, a SYN gets a cookie. An acknowledgement with a valid
 * cookie opens the connection. `opens`: the packet may open one without a proxy.
 */
function scheduleBehindProxy(d: Director, service: VirtualService, proxy: SynProxy, opens: boolean): number {
  const p = d.packet;
  if (service.port === 0 || p.dport === service.port) {
    if (proxy.isOn && isOpening(p) && p.parts === 0)
      return answerByCookie(d, proxy) === Verdict.dropped ? DROPPED : ANSWERED;
    if (isAcknowledgement(p) && proxy.mayHaveCookies(d.now) && proves(d)) return openProven(d, service, proxy);
  }
  return opens && !proxy.isOn ? scheduleFor(d, service) : UNWANTED;
}

function openProven(d: Director, service: VirtualService, proxy: SynProxy): number {
  const p = d.packet;
  proxy.confirmed++;
  p.proven = true;
  const entry = scheduleFor(d, service);
  p.proven = false;
  if (entry > 0) becomeSyn(d, entry);
  return entry;
}

function isOpening({ tcpFlags }: PacketInfo): boolean {
  return (tcpFlags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) === TCP_SYN;
}

function isAcknowledgement({ protocol, tcpFlags }: PacketInfo): boolean {
  return protocol === ipv4.TCP && (tcpFlags & (TCP_SYN | TCP_ACK | TCP_RST)) === TCP_ACK;
}

function scheduleFor(d: Director, service: VirtualService): number {
  const p = d.packet;
  // Is the director short of memory? (ip_vs_todrop)
  if (!p.proven && d.defence.drops()) {
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

/**
 * A packet without a connection: may it open one, for which service, at which destination? In ip_vs_schedule's order.
 */
import { CONN_INACTIVE, CONN_MIXED, CONN_NOOUTPUT, CONN_ONE_PACKET } from '../../conntrack/entry.js';
import { fillEntry } from '../../conntrack/find-wide.js';
import { type Destination, Method } from '../../service/destination.js';
import type { VirtualService } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import { countConnection } from '../account.js';
import type { Director } from '../director.js';
import { borrowSource } from '../nat/fullnat.js';
import { drop } from '../output/verdict.js';
import { type PacketInfo, TCP_RST, TCP_SYN } from '../parse/packet.js';
import type { Quote } from '../parse/quote.js';
import { icmpErrorFor4, icmpErrorFor6 } from '../xmit/ttl-mtu.js';
import { openBypass } from './no-dest.js';
import { schedulePersistent } from './persistence.js';

/** Answers of `schedule` that are no entry: nobody's packet (it goes on its way), or it was dropped. */
export const UNWANTED = 0;
export const DROPPED = -1;

const FTP = 21;
export const FTP_DATA = 20;

export function schedule(d: Director): number {
  const p = d.packet;
  if (!mayOpen(d, p)) return UNWANTED;
  const service =
    p.family === 4
      ? d.services.find4(p.mark, p.protocol, p.dst, p.dport)
      : d.services.find6(p.mark, p.protocol, p.dst6, p.dport);
  if (service === undefined || p.sport === FTP_DATA) return UNWANTED;
  d.trace?.noteService(service);
  return scheduleFor(d, service);
}

/**
 * schedule_icmp: the packet that the ICMP error at hand quotes, seen from the client's side, may open a connection. Its
 * state is none yet and its timer the first one: the next real packet finds it.
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

/** TCP opens with a SYN, SCTP with an INIT, UDP with anything; the sloppy sysctls lift the first two. */
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
  if (d.defence.drops()) {
    drop(d, Drop.defence);
    return DROPPED;
  }
  if (service.persistent) return schedulePersistent(d, service);
  if (service.fwmark === 0 && p.dport !== service.port) return UNWANTED;
  const dest = service.schedule.schedule(p, d.now);
  d.trace?.noteChoice(service, dest);
  return openScheduled(d, service, dest);
}

/** A new connection to where the scheduler of a service wants it; what there is instead, if it wants it nowhere. */
export function openScheduled(d: Director, service: VirtualService, dest: Destination | null): number {
  if (dest === null) return leave(d, service);
  return openFor(d, service, dest, dest.port !== 0 ? dest.port : d.packet.dport);
}

/** A new connection of the packet's client to `dest`; DROPPED when the table is full. */
export function openFor(d: Director, service: VirtualService, dest: Destination, dport: number): number {
  const p = d.packet;
  const onePacket = service.onePacket && p.protocol === ipv4.UDP ? CONN_ONE_PACKET : 0;
  const entry = newEntry(d, dest, p.protocol, clientOf(p), p.sport, virtualOf(p), p.dport, dport, onePacket);
  if (entry === 0) {
    drop(d, dest.method === Method.fullnat && !d.connections.table.isFull ? Drop.noSourcePort : Drop.tableFull);
    return DROPPED;
  }
  countConnection(d, dest.slot, service.slot);
  return entry;
}

const client = new Int32Array(4);
const virtual = new Int32Array(4);
const destination = new Int32Array(4);

/** The packet's addresses as four words (one array for each, used again). */
export function clientOf(p: PacketInfo): Int32Array {
  if (p.family === 6) return p.src6;
  client[3] = p.src;
  return client;
}
export function virtualOf(p: PacketInfo): Int32Array {
  if (p.family === 6) return p.dst6;
  virtual[3] = p.dst;
  return virtual;
}

export function destinationOf(dest: Destination): Int32Array {
  if (dest.family === 6) return dest.address6;
  destination[3] = dest.address;
  return destination;
}

/** An entry, filled, bound and hashed; 0 when the table is full. `extra`: CONN_ONE_PACKET or 0. */
export function newEntry(
  d: Director,
  dest: Destination,
  protocol: number,
  caddr: Int32Array,
  cport: number,
  vaddr: Int32Array,
  vport: number,
  dport: number,
  extra: number,
): number {
  const { connections, packet } = d;
  const entry = connections.table.alloc();
  if (entry === 0) return 0;
  const daddr = destinationOf(dest);
  if (fillEntry(connections.table, entry, packet.family, protocol, caddr, cport, vaddr, vport, daddr, dport) === 0) {
    connections.table.free(entry);
    return 0;
  }
  connections.open(entry, dest, flagsFor(dest, packet.family) | extra);
  if (dest.method !== Method.fullnat || borrowSource(d, entry)) return entry;
  if ((extra & CONN_ONE_PACKET) !== 0) connections.release(entry);
  else connections.expireNow(entry);
  return 0;
}

/** Masq and full NAT bring the replies by the director. */
function seesReplies(method: number): boolean {
  return method === Method.masq || method === Method.fullnat;
}

export function flagsFor(dest: Destination, family: number): number {
  const mixed = dest.family === family ? 0 : CONN_MIXED;
  return dest.method | CONN_INACTIVE | mixed | (seesReplies(dest.method) ? 0 : CONN_NOOUTPUT);
}

/** ip_vs_leave: no destination. The client is told, even of TCP, by ICMP port unreachable. */
export function leave(d: Director, service: VirtualService): number {
  const p = d.packet;
  const entry = openBypass(d, service);
  if (entry !== 0) return entry;
  if (service.port === FTP && p.dport !== FTP) return UNWANTED;
  if (!p.quoted) complain(d);
  drop(d, Drop.noDestination);
  return DROPPED;
}

function complain(d: Director): void {
  const { family, replaced } = d.packet;
  if (family === 4) icmpErrorFor4(d, icmp.UNREACHABLE, icmp.PORT_UNREACHABLE, 0, replaced, true);
  else icmpErrorFor6(d, icmp6.UNREACHABLE, icmp6.PORT_UNREACHABLE, 0, replaced, true);
}

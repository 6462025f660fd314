/**
 * ICMP errors about a connection's packets (ip_vs_in_icmp, ip_vs_out_icmp; docs/ipvs-reference.md
 * section 12): they follow the connection, in either direction.
 *
 *      about a reply    (VIP → client quoted)      ─► to the destination, by the connection's method; NAT: rewritten
 *      about a request  (client → RIP quoted)      ─► to the client, NAT only: source and quote become the VIP's
 *      about our tunnel (outer header quoted)      ─► the VIP sends an error to the client (icmp-tunnel.ts)
 *      none of these, quoted source a service      ─► schedule_icmp: a new connection
 *
 * Handled: destination unreachable, source quench and time exceeded; in IPv6 all errors.
 */
import { CONN_ONE_PACKET } from '../../conntrack/entry.js';
import { findIn6, findOut6 } from '../../conntrack/find-wide.js';
import { Gauge } from '../../stats/counters.js';
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import { pseudo6 } from '../../wire/checksum.js';
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import { countIn, countOut } from '../account.js';
import type { Director } from '../director.js';
import { deliverLocal } from '../host/local.js';
import { mainOf } from '../nat/fullnat.js';
import { rewriteError } from '../nat/icmp-nat.js';
import { isTranslated } from '../nat/masq.js';
import { ipOutput } from '../output/ip-output.js';
import { drop } from '../output/verdict.js';
import { Quote } from '../parse/quote.js';
import { DROPPED, UNWANTED } from '../schedule/new-conn.js';
import { scheduleQuoted } from '../schedule/schedule.js';
import { LOCAL_ROUTE } from '../table/routes.js';
import { pathMtu, routeForward, routeReply, usableOrDrop } from '../xmit/next-hop.js';
import { decrementTtlOrDrop, fitsMtuOrDrop } from '../xmit/ttl-mtu.js';
import { xmit } from '../xmit/xmit.js';
import { tunnelError } from './icmp-tunnel.js';

const quote = new Quote();

/** Handles an ICMP error about a connection's packet; none for any other packet. */
export function icmpRelated(d: Director): Verdict {
  if (!isHandled(d)) return Verdict.none;
  const p = d.packet;
  const local = p.family === 4 ? d.isLocal4(p.dst) : d.isLocal6(p.dst6);
  // About a packet in one of our tunnels?
  const verdict = p.family === 4 && local ? tunnelError(d, quote) : Verdict.none;
  if (verdict !== Verdict.none || !readQuote(d)) return verdict;
  // About a reply, then about a request? (ip_vs_in_icmp, ip_vs_out_icmp)
  const about = d.backupOnly ? 0 : current(d, findQuotedReply(d));
  if (about !== 0) return toDestination(d, about, local);
  const request = current(d, mainOf(d, findQuotedRequest(d)));
  if (request !== 0 && isTranslated(d, request)) {
    noteRefusal(d, request);
    return toClient(d, request);
  }
  if (isKept(d, local) || d.sysctl.schedule_icmp === 0 || d.backupOnly) return Verdict.none;
  // About a connection that is to be: schedule it.
  const made = scheduleQuoted(d, quote);
  if (made === UNWANTED) return Verdict.none;
  return made === DROPPED ? Verdict.dropped : toNew(d, made, local);
}

function toNew(d: Director, made: number, local: boolean): FinalVerdict {
  const verdict = toDestination(d, made, local);
  if ((d.connections.flagsOf(made) & CONN_ONE_PACKET) !== 0) d.connections.release(made);
  return verdict;
}

function isHandled(d: Director): boolean {
  const p = d.packet;
  if (p.family === 6) return p.protocol === ipv6.ICMP6 && icmp6.isError(p.icmpType);
  if (p.protocol !== ipv4.ICMP) return false;
  return p.icmpType === icmp.UNREACHABLE || p.icmpType === icmp.SOURCE_QUENCH || p.icmpType === icmp.TIME_EXCEEDED;
}

function readQuote(d: Director): boolean {
  const p = d.packet;
  const { view } = d.umem;
  const at = p.l4 + icmp.EMBEDDED;
  const end = p.l3 + p.l3len;
  const assembled = p.family === 4 ? quote.readIpv4(view, at, end) : quote.readIpv6(view, at, end);
  return assembled && quote.readPorts(view, end);
}

/** Finds the connection whose reply is quoted: the client is the quoted destination. */
function findQuotedReply(d: Director): number {
  const { table } = d.connections;
  const { protocol, src, dst, sport, dport } = quote;
  const ports = (dport << 16) | sport;
  if (d.packet.family === 4) return table.findIn4(protocol, dst, src, ports);
  return findIn6(table, protocol, quote.dst6, quote.src6, ports);
}

/** Finds the connection whose translated request is quoted. */
function findQuotedRequest(d: Director): number {
  const { table } = d.connections;
  const { protocol, src, dst, sport, dport } = quote;
  if (d.packet.family === 4) return table.findOut4(protocol, dst, dport, src, sport);
  return findOut6(table, protocol, quote.dst6, dport, quote.src6, sport);
}

/**
 * An error about a request with unchanged addresses (DR, Tun). It is counted, unless it is dropped
 * here, and it goes to its own destination.
 */
function isKept(d: Director, local: boolean): boolean {
  const { table } = d.connections;
  const { protocol, src, dst, sport, dport } = quote;
  const ports = (sport << 16) | dport;
  const found =
    d.packet.family === 4
      ? table.findIn4(protocol, src, dst, ports)
      : findIn6(table, protocol, quote.src6, quote.dst6, ports);
  const entry = current(d, found);
  if (entry === 0 || isTranslated(d, entry)) return false;
  noteRefusal(d, entry);
  if (local || d.packet.ttl > 1) countOut(d, entry, d.packet.l3len);
  return true;
}

/** Unreachable, but not for its length: passive health checks count it. */
function noteRefusal(d: Director, entry: number): void {
  const { family, icmpType, icmpCode } = d.packet;
  const isUnreachable =
    family === 4
      ? icmpType === icmp.UNREACHABLE && icmpCode !== icmp.FRAGMENTATION_NEEDED
      : icmpType === icmp6.UNREACHABLE;
  if (isUnreachable) d.connections.destOf(entry)?.add(Gauge.refused, 1);
}

function current(d: Director, entry: number): number {
  if (entry === 0 || !d.connections.ended(entry)) return entry;
  d.connections.expireNow(entry);
  return 0;
}

/**
 * Sends the error to the connection's destination. A packet to another host's address is routed
 * first, like any packet that crosses the director.
 */
function toDestination(d: Director, entry: number, local: boolean): FinalVerdict {
  d.traced?.noteConnection(entry, 'client');
  if (!local && !crossesOrDrop(d)) return Verdict.dropped;
  const translated = isTranslated(d, entry);
  // A packet that is not rewritten is not checked: the destination finds a wrong checksum.
  if (translated && !isSoundOrDrop(d)) return Verdict.dropped;
  countIn(d, entry);
  if (translated) return xmitTranslated(d, entry);
  d.connections.countPacket(entry);
  return xmit(d, entry);
}

/** Returns false when the packet was dropped. */
function crossesOrDrop(d: Director): boolean {
  const p = d.packet;
  if (d.links[p.device]!.shared || p.mark !== 0) return true;
  if (!decrementTtlOrDrop(d, 0)) return false;
  const hop = p.family === 4 ? d.router.lookup4(p.dst, p.src, p.mark) : d.router.lookup6(p.dst6, p.src6, p.mark);
  const usable = usableOrDrop(d, hop, 0);
  return usable >= 0 || usable === LOCAL_ROUTE;
}

function xmitTranslated(d: Director, entry: number): FinalVerdict {
  const hop = usableOrDrop(d, routeForward(d, entry), entry);
  if (hop === LOCAL_ROUTE) {
    rewriteError(d, quote, entry, false);
    return deliverLocal(d);
  }
  if (hop < 0) return Verdict.dropped;
  const mtu = pathMtu(d, d.connections.destOf(entry));
  if (!decrementTtlOrDrop(d, entry) || !fitsMtuOrDrop(d, mtu, entry)) return Verdict.dropped;
  rewriteError(d, quote, entry, false);
  return ipOutput(d, hop, mtu);
}

function toClient(d: Director, entry: number): FinalVerdict {
  d.traced?.noteConnection(entry, 'destination');
  if (!decrementTtlOrDrop(d, 0)) return Verdict.dropped;
  const hop = routeReply(d, entry);
  const { mtu } = d.router;
  if (hop < 0 && hop !== LOCAL_ROUTE) return Verdict.dropped;
  if (hop >= 0 && !fitsMtuOrDrop(d, mtu, 0)) return Verdict.dropped;
  if (!isSoundOrDrop(d)) return Verdict.dropped;
  countOut(d, entry, d.packet.l3len);
  rewriteError(d, quote, entry, true);
  return hop === LOCAL_ROUTE ? deliverLocal(d) : ipOutput(d, hop, mtu);
}

/** Returns false when the checksum is wrong: the packet was dropped without being counted. */
function isSoundOrDrop(d: Director): boolean {
  const p = d.packet;
  const { view } = d.umem;
  const pseudo = p.family === 4 ? 0 : pseudo6(view, p.l3 + ipv6.SRC, p.l3 + ipv6.DST, ipv6.ICMP6, p.l4len);
  const good = icmp6.isChecksumGood(view, p.l4, p.l4len, pseudo);
  if (!good) drop(d, Drop.badChecksum);
  return good;
}

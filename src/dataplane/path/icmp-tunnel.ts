/**
 * ICMP errors from the path of a tunnel. A router sends them to the director and quotes the outer
 * header. The director sends an error about the inner packet to the client, as the VIP.
 *
 *      | IP router → director | ICMP | outer: director → destination | UDP, GUE or GRE | client → VIP | ports … |
 *   (the client gets an error that quotes the part from "client → VIP" on)
 *
 * "Fragmentation needed" updates the path MTU, and its MTU is reduced by the tunnel's overhead.
 * Other errors are passed on as they are.
 */
import { TunnelKind } from '../../service/service.js';
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import * as ethernet from '../../wire/ethernet.js';
import * as icmp from '../../wire/icmp.js';
import * as ipv4 from '../../wire/ipv4.js';
import { countOut } from '../account.js';
import type { Director } from '../director.js';
import { isTranslated } from '../nat/masq.js';
import { sendIcmp4 } from '../output/icmp-error.js';
import { deliver, drop } from '../output/verdict.js';
import type { Quote } from '../parse/quote.js';

const UDP = 8;
const GUE = 4;
const GRE = 4;
const GRE_CHECKSUM = 0x8000;
const SMALLEST_MTU = 68;
/**
 * Slot of the current tunnel's destination, and the bytes between the outer and the inner IP
 * header.
 */
let slot = -1;
let shim = 0;

/**
 * Handles an ICMP error about one of our tunnels with a connection in it; none for any other.
 * Writes `quote`.
 */
export function tunnelError(d: Director, quote: Quote): Verdict {
  const p = d.packet;
  const { view } = d.umem;
  const end = p.l3 + p.l3len;
  if (!quote.readIpv4(view, p.l4 + icmp.EMBEDDED, end) || !findTunnel(d, quote, end)) return Verdict.none;
  const server = quote.dst;
  if (!quote.readIpv4(view, quote.l4 + shim, end) || !quote.readPorts(view, end)) return Verdict.none;
  const { sport, dport } = quote;
  const entry = d.connections.table.findIn4(quote.protocol, quote.src, quote.dst, (sport << 16) | dport);
  if (entry === 0 || d.connections.ended(entry)) return Verdict.none;
  d.traced?.noteConnection(entry, 'client');
  if (!icmp.isChecksumGood(view, p.l4, p.l4len)) return drop(d, Drop.badChecksum);
  return relay(d, quote, entry, server);
}

/**
 * Returns the bytes between the quoted outer and the inner IP header, −1 when the quoted packet is
 * no tunnel of ours.
 */
export function tunnelShim(d: Director, quote: Quote, end: number): number {
  return findTunnel(d, quote, end) ? shim : -1;
}

/** Sets `slot` and `shim` when the quoted outer header leads to a tunnel destination. */
function findTunnel(d: Director, quote: Quote, end: number): boolean {
  const { view } = d.umem;
  const { l4, dst } = quote;
  slot = -1;
  if (quote.protocol === ipv4.IPIP) {
    shim = 0;
    slot = d.tunnels.find(0, 0, 0, dst, TunnelKind.ipip, 0);
  } else if (quote.protocol === ipv4.UDP && l4 + UDP + GUE <= end) {
    // GUE version 0, no control message. The low five bits hold the length of the options in words.
    const first = view.getUint8(l4 + UDP);
    shim = UDP + GUE + ((first & 0x1f) << 2);
    if (first >>> 5 === 0 && view.getUint8(l4 + UDP + 1) === ipv4.IPIP)
      slot = d.tunnels.find(0, 0, 0, dst, TunnelKind.gue, view.getUint16(l4 + 2));
  } else if (quote.protocol === ipv4.GRE && l4 + GRE <= end) {
    const flags = view.getUint16(l4);
    shim = flags === GRE_CHECKSUM ? GRE + 4 : GRE;
    if ((flags & ~GRE_CHECKSUM) === 0 && view.getUint16(l4 + 2) === ethernet.TYPE_IPV4)
      slot = d.tunnels.find(0, 0, 0, dst, TunnelKind.gre, 0);
  }
  return slot >= 0;
}

function relay(d: Director, quote: Quote, entry: number, server: number): FinalVerdict {
  const p = d.packet;
  const type = p.icmpType;
  const code = p.icmpCode;
  let rest = d.umem.view.getInt32(p.l4 + 4);
  if (type === icmp.UNREACHABLE && code === icmp.FRAGMENTATION_NEEDED) {
    rest = noteMtu(d, server);
    if (!quote.dontFragment) return deliver(d);
  }
  const bytes = p.l3 + p.l3len - quote.l3;
  describeInner(d, quote, bytes);
  // The kernel counts twice: the quoted packet here, and the message when it leaves.
  countOut(d, entry, bytes);
  const sent = sendIcmp4(d, type, code, rest, true);
  if (sent !== 0 && !isTranslated(d, entry)) countOut(d, entry, sent);
  return deliver(d);
}

/**
 * The MTU that the client is told. The kernel looks at the route that the destination used last. So
 * a destination whose route was looked up before the path MTU was known is told that route's MTU.
 */
function noteMtu(d: Director, server: number): number {
  const dest = d.dests[slot]!;
  d.router.lookup4(server, 0, 0);
  const routeMtu = d.router.mtu;
  d.pathMtus.learn(server, icmp.mtu(d.umem.view, d.packet.l4), routeMtu, d.now);
  d.offload?.bump();
  const mtu = dest.pathBound ? d.pathMtus.mtu(server, routeMtu, d.now) : routeMtu;
  const overhead = ipv4.HEADER + shim;
  return mtu > SMALLEST_MTU + overhead ? mtu - overhead : mtu;
}

/** The quoted packet becomes the current packet, about which the client gets an error. */
function describeInner(d: Director, quote: Quote, bytes: number): void {
  const p = d.packet;
  p.l3 = quote.l3;
  p.l3len = bytes;
  p.protocol = quote.protocol;
  p.tos = quote.tos;
  p.src = quote.src;
  p.dst = quote.dst;
}

/**
 * Translates an ICMP error about a NAT connection (ip_vs_nat_icmp): ports and addresses of the
 * quoted packet, and the error's own source or destination. All checksums but the quoted transport
 * checksum are computed anew, so a wrong quoted IP checksum is repaired, as in the kernel.
 */
import {
  CADDR,
  CONN_ANSWERED,
  CONN_FULLNAT,
  CONN_SYNPROXY,
  DADDR,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  PORTS,
  VADDR,
  WIDE_DADDR,
  WIDE_VADDR,
  WITH_SHIFTS,
} from '../../conntrack/entry.js';
import { pseudo6 } from '../../wire/checksum.js';
import * as icmp from '../../wire/icmp.js';
import * as icmp6 from '../../wire/icmp6.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import type { Quote } from '../parse/quote.js';
import { spliceQuoted } from './shift.js';

/**
 * `toClient`: the virtual address replaces the destination's. Otherwise the destination's replaces
 * the virtual one.
 */
export function rewriteError(d: Director, quote: Quote, entry: number, toClient: boolean): void {
  const { words } = d.connections;
  const { view } = d.umem;
  const at = entry << ENTRY_SHIFT;
  if ((words[at + FLAGS]! & (WITH_SHIFTS | CONN_ANSWERED)) === (CONN_SYNPROXY | CONN_ANSWERED))
    spliceQuoted(view, quote.l4, d.packet.l4 + d.packet.l4len, d.connections.seqAdjOf(entry), toClient);
  if ((words[at + FLAGS]! & CONN_FULLNAT) !== 0) return rewriteFull(d, quote, entry, toClient);
  if (toClient) view.setUint16(quote.l4 + 2, words[at + PORTS]! & 0xffff);
  else view.setUint16(quote.l4, words[at + DPORT_PROTO_STATE]! >>> 16);
  if (d.packet.family === 4) rewrite4(d, quote, words[at + (toClient ? VADDR : DADDR)]!, toClient);
  else rewrite6(d, quote, (words[at + DADDR]! << ENTRY_SHIFT) + (toClient ? WIDE_VADDR : WIDE_DADDR), toClient);
}

/** Full NAT: both ends of the quoted packet change, and so do both addresses of the error. */
function rewriteFull(d: Director, quote: Quote, entry: number, toClient: boolean): void {
  const p = d.packet;
  const { view } = d.umem;
  const { words } = d.connections;
  const at = entry << ENTRY_SHIFT;
  const line = words[at + DADDR]! << ENTRY_SHIFT;
  const client = words[(toClient ? at : line) + CADDR]!;
  const server = toClient ? words[at + VADDR]! : words[line + DADDR]!;
  const clientPort = words[(toClient ? at : line) + PORTS]! >>> 16;
  const serverPort = toClient ? words[at + PORTS]! & 0xffff : words[line + DPORT_PROTO_STATE]! >>> 16;
  ipv4.setSrc(view, p.l3, toClient ? server : client);
  ipv4.setDst(view, p.l3, toClient ? client : server);
  ipv4.setSrc(view, quote.l3, toClient ? client : server);
  ipv4.setDst(view, quote.l3, toClient ? server : client);
  view.setUint16(quote.l4, toClient ? clientPort : serverPort);
  view.setUint16(quote.l4 + 2, toClient ? serverPort : clientPort);
  fillChecksums(d, quote);
}

function rewrite4(d: Director, quote: Quote, address: number, toClient: boolean): void {
  const p = d.packet;
  const { view } = d.umem;
  if (toClient) {
    ipv4.setSrc(view, p.l3, address);
    ipv4.setDst(view, quote.l3, address);
  } else {
    ipv4.setDst(view, p.l3, address);
    ipv4.setSrc(view, quote.l3, address);
  }
  fillChecksums(d, quote);
}

function fillChecksums(d: Director, quote: Quote): void {
  const p = d.packet;
  const { view } = d.umem;
  ipv4.fillChecksum(view, p.l3);
  ipv4.fillChecksum(view, quote.l3);
  icmp.fillChecksum(view, p.l4, p.l4len);
}

/** `at`: index of the address's first word in the connection table. */
function rewrite6(d: Director, quote: Quote, at: number, toClient: boolean): void {
  const p = d.packet;
  const { view } = d.umem;
  const { words } = d.connections;
  if (toClient) {
    ipv6.rewriteSrc(view, p.l3, words, at);
    ipv6.rewriteDst(view, quote.l3, words, at);
  } else {
    ipv6.rewriteDst(view, p.l3, words, at);
    ipv6.rewriteSrc(view, quote.l3, words, at);
  }
  icmp6.fillChecksum(view, p.l4, p.l4len, pseudo6(view, p.l3 + ipv6.SRC, p.l3 + ipv6.DST, ipv6.ICMP6, p.l4len));
}

/**
 * Full NAT: the destination sees an address of the director, so that its replies return to the
 * director whatever routes it has.
 *
 *      client:cport -> VIP:vport   ══►   source:sport -> RIP:rport          source:sport from a pool
 *      client:cport <- VIP:vport   ◄══   source:sport <- RIP:rport          found by the connection's reverse line
 *
 * The TOA option carries the client's address (kind 254, as DPVS and Alibaba's toa module read it),
 * in the SYN and in the segment after it:  | 254 | 8 | client port | client address |
 */
import {
  CADDR,
  CONN_FULLNAT,
  CONN_ONE_PACKET,
  CONN_REVERSE,
  CONTROL,
  DADDR,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  PACKETS,
  PORTS,
  VADDR,
} from '../../conntrack/entry.js';
import { pseudo4 } from '../../wire/checksum.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as sctp from '../../wire/sctp.js';
import * as tcp from '../../wire/tcp.js';
import * as udp from '../../wire/udp.js';
import type { Director } from '../director.js';

/**
 * Limit of tries for a free pair. Ports are used in turn, so the first one is nearly always free.
 */
const TRIES = 128;
const TOA = 254;
const TOA_LEN = 8;
/** A TCP header has at most 60 bytes. With more options there is no room for TOA. */
const LONGEST_HEADER = 60;

/**
 * Gives a new connection its source address and port. Returns false when the pool is empty, all
 * tries were in use, or the table is full.
 */
export function borrowSource(d: Director, entry: number): boolean {
  const { table, words } = d.connections;
  const at = entry << ENTRY_SHIFT;
  const protocol = (words[at + DPORT_PROTO_STATE]! >>> 8) & 0xff;
  const dport = words[at + DPORT_PROTO_STATE]! >>> 16;
  const daddr = words[at + DADDR]!;
  for (let i = 0; i < TRIES && d.sourcePool.sources.length > 0; i++) {
    const source = d.sourcePool.next();
    if (table.findOut4(protocol, daddr, dport, source, d.sourcePool.port) !== 0) continue;
    const reverse = table.alloc();
    if (reverse === 0) return false;
    fillReverse(d, reverse, entry, source, d.sourcePool.port);
    return true;
  }
  return false;
}

function fillReverse(d: Director, reverse: number, entry: number, source: number, port: number): void {
  const { table, words } = d.connections;
  const at = entry << ENTRY_SHIFT;
  const line = reverse << ENTRY_SHIFT;
  words[line + CADDR] = source;
  words[line + PORTS] = port << 16;
  words[line + DADDR] = words[at + DADDR]!;
  words[line + DPORT_PROTO_STATE] = words[at + DPORT_PROTO_STATE]! & ~0xff;
  words[line + FLAGS] = CONN_REVERSE;
  words[line + CONTROL] = entry;
  words[at + DADDR] = reverse;
  words[at + FLAGS]! |= CONN_FULLNAT;
  table.seal(entry);
  if ((words[at + FLAGS]! & CONN_ONE_PACKET) === 0) table.insert(reverse);
}

/** Returns the connection of a reverse line, and any other entry unchanged. */
export function mainOf(d: Director, entry: number): number {
  const at = entry << ENTRY_SHIFT;
  const { words } = d.connections;
  return entry !== 0 && (words[at + FLAGS]! & CONN_REVERSE) !== 0 ? words[at + CONTROL]! : entry;
}

/**
 * Client -> destination: rewrites destination and source, and adds the TOA option. `mtu`: limit of
 * the packet's length.
 */
export function fullDnat(d: Director, entry: number, mtu: number): void {
  const { view } = d.umem;
  const { words } = d.connections;
  const p = d.packet;
  const line = words[(entry << ENTRY_SHIFT) + DADDR]! << ENTRY_SHIFT;
  const delta = ipv4.rewriteDst(view, p.l3, words[line + DADDR]!) + ipv4.rewriteSrc(view, p.l3, words[line + CADDR]!);
  rewritePorts(d, words[line + PORTS]! >>> 16, words[line + DPORT_PROTO_STATE]! >>> 16, delta);
  if (d.sourcePool.toa && p.protocol === ipv4.TCP && words[(entry << ENTRY_SHIFT) + PACKETS]! <= 2) addToa(d, mtu);
}

/** Destination -> client. */
export function fullSnat(d: Director, entry: number): void {
  const { view } = d.umem;
  const { words } = d.connections;
  const at = entry << ENTRY_SHIFT;
  const { l3 } = d.packet;
  const delta = ipv4.rewriteSrc(view, l3, words[at + VADDR]!) + ipv4.rewriteDst(view, l3, words[at + CADDR]!);
  rewritePorts(d, words[at + PORTS]! & 0xffff, words[at + PORTS]! >>> 16, delta);
}

function rewritePorts(d: Director, sport: number, dport: number, delta: number): void {
  const p = d.packet;
  const { view } = d.umem;
  if (p.protocol === ipv4.TCP) {
    tcp.rewriteSport(view, p.l4, sport, delta);
    tcp.rewriteDport(view, p.l4, dport);
  } else if (p.protocol === ipv4.UDP) {
    udp.rewriteSport(view, p.l4, sport, delta);
    udp.rewriteDport(view, p.l4, dport);
  } else {
    sctp.setSport(view, p.l4, sport);
    sctp.setDport(view, p.l4, dport);
    sctp.fillChecksum(view, p.l4, p.l4len);
  }
}

/**
 * Puts the TOA option behind the segment's options: both headers move eight bytes into the
 * headroom.
 */
function addToa(d: Director, mtu: number): void {
  const p = d.packet;
  const { view, u8 } = d.umem;
  const headerLen = tcp.headerLen(view, p.l4);
  if (headerLen + TOA_LEN > LONGEST_HEADER || headerLen > p.l4len || p.l3len + TOA_LEN > mtu) return;
  const end = p.l4 + headerLen;
  u8.copyWithin(p.l3 - TOA_LEN, p.l3, end);
  view.setUint16(end - TOA_LEN, (TOA << 8) | TOA_LEN);
  view.setUint16(end - TOA_LEN + 2, p.sport);
  view.setInt32(end - TOA_LEN + 4, p.src);
  p.l3 -= TOA_LEN;
  p.l4 -= TOA_LEN;
  p.l3len += TOA_LEN;
  p.l4len += TOA_LEN;
  ipv4.rewriteTotalLen(view, p.l3, p.l3len);
  view.setUint8(p.l4 + 12, (((headerLen + TOA_LEN) >> 2) << 4) | (view.getUint8(p.l4 + 12) & 0x0f));
  const pseudo = pseudo4(ipv4.src(view, p.l3), ipv4.dst(view, p.l3), ipv4.TCP, p.l4len);
  tcp.fillChecksum(view, p.l4, p.l4len, pseudo);
}

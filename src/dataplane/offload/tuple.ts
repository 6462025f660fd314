/** What a packet of a connection has in a direction, and what it leaves with, as its words. */
import {
  CADDR,
  CONN_IPV6,
  DADDR,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  METHOD_MASK,
  PORTS,
  VADDR,
  WIDE_CADDR,
  WIDE_DADDR,
  WIDE_VADDR,
} from '../../conntrack/entry.js';
import { Method } from '../../service/service.js';
import { fold } from '../../wire/checksum.js';
import { halves, swap32 } from '../parse/aligned.js';

/** The TTL is the low byte of its word: one less, in a ones' complement sum. */
const TTL_STEP = 0xfffe;

/** Addresses and ports of a packet. Of IPv6 addresses the last words, and the three before them. */
export class FlowTuple {
  family: 4 | 6 = 4;
  /**
   * Of the source, then of the destination. Longer than needed, so that V8 places it outside its
   * heap.
   */
  readonly upper = new Int32Array(new ArrayBuffer(128), 0, 6);
  saddr = 0;
  daddr = 0;
  ports = 0;
}

/**
 * Fills both tuples from the entry of a masq or gatewaying connection. `direction`: 0 from the
 * client; 1 from the destination, masq only.
 */
export function fillTuples(words: Int32Array, entry: number, direction: number, from: FlowTuple, to: FlowTuple): void {
  const at = entry << ENTRY_SHIFT;
  if ((words[at + FLAGS]! & CONN_IPV6) !== 0) return fillTuples6(words, at, direction, from, to);
  const client = words[at + CADDR]!;
  const vip = words[at + VADDR]!;
  const server = words[at + DADDR]!;
  const cport = words[at + PORTS]! >>> 16;
  const vport = words[at + PORTS]! & 0xffff;
  const dport = words[at + DPORT_PROTO_STATE]! >>> 16;
  const isNat = (words[at + FLAGS]! & METHOD_MASK) === Method.masq;
  if (direction === 0) {
    set(from, client, vip, cport, vport);
    if (isNat) set(to, client, server, cport, dport);
    else set(to, client, vip, cport, vport);
  } else {
    set(from, server, client, dport, cport);
    set(to, vip, client, vport, cport);
  }
}

function fillTuples6(words: Int32Array, at: number, direction: number, from: FlowTuple, to: FlowTuple): void {
  const wide = words[at + DADDR]! << ENTRY_SHIFT;
  const [client, vip, server] = [wide + WIDE_CADDR, wide + WIDE_VADDR, wide + WIDE_DADDR];
  const cport = words[at + PORTS]! >>> 16;
  const vport = words[at + PORTS]! & 0xffff;
  const dport = words[at + DPORT_PROTO_STATE]! >>> 16;
  const isNat = (words[at + FLAGS]! & METHOD_MASK) === Method.masq;
  if (direction === 0) {
    set6(from, words, client, vip, cport, vport);
    if (isNat) set6(to, words, client, server, cport, dport);
    else set6(to, words, client, vip, cport, vport);
  } else {
    set6(from, words, server, client, dport, cport);
    set6(to, words, vip, client, vport, cport);
  }
}

function set6(tuple: FlowTuple, words: Int32Array, source: number, destination: number, sport: number, dport: number) {
  for (let i = 0; i < 3; i++) {
    tuple.upper[i] = swap32(words[source + i]!);
    tuple.upper[3 + i] = swap32(words[destination + i]!);
  }
  set(tuple, words[source + 3]!, words[destination + 3]!, sport, dport);
  tuple.family = 6;
}

function set(tuple: FlowTuple, saddr: number, daddr: number, sport: number, dport: number): void {
  tuple.family = 4;
  tuple.saddr = swap32(saddr);
  tuple.daddr = swap32(daddr);
  tuple.ports = swap32((sport << 16) | dport);
}

/**
 * What changes in the sum of an IPv4 header, the TTL included, and in the transport's; 0: nothing.
 */
export function deltas(from: FlowTuple, to: FlowTuple): number {
  let sum = halves(~from.saddr) + halves(~from.daddr) + halves(to.saddr) + halves(to.daddr);
  let isSame = from.saddr === to.saddr && from.daddr === to.daddr && from.ports === to.ports;
  if (from.family === 6)
    for (let i = 0; i < from.upper.length; i++) {
      sum += halves(~from.upper[i]!) + halves(to.upper[i]!);
      isSame &&= from.upper[i] === to.upper[i];
    }
  const ports = halves(~from.ports) + halves(to.ports);
  return fold(sum + TTL_STEP) | ((isSame ? 0 : fold(sum + ports)) << 16);
}

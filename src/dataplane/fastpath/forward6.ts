/**
 * Last pass of the fast path for IPv6: forward.ts with addresses of four words, which lie in the
 * second line of the connection.
 */
import {
  CONN_IPV6,
  DADDR,
  DEST,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  METHOD_MASK,
  PACKETS,
  PORTS,
  WIDE_CADDR,
  WIDE_DADDR,
  WIDE_VADDR,
} from '../../conntrack/entry.js';
import { Direction } from '../../conntrack/states.js';
import { Method } from '../../service/service.js';
import { copyWords } from '../../wire/address.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { TCP_SYN } from '../parse/packet.js';
import { UNKNOWN } from '../table/routes.js';
import { type BatchAccount, FAST_FLAGS, isSteady } from './account.js';
import { type BatchCache, MTU, ROOM, TYPE6 } from './cache.js';
import { Opens, replyOpens } from './replies.js';
import type { Rewriter } from './rewrite.js';
import { FRAME, IPV6, KIND, LENGTH, NOT_TCP, protocolOfKind, ROW_PORTS, TOTAL } from './scan.js';
import { type FitsInSegments, TUNNELLED } from './whole.js';

const FAST_FLAGS6 = FAST_FLAGS | CONN_IPV6;
const IP = ethernet.HEADER;
const L4 = IP + ipv6.HEADER;

/** As in FastForward. A SYN takes the slow path. */
export interface FastForward6 {
  forwardIn6(row: number, entry: number): boolean;
  forwardOut6(row: number, entry: number): boolean;
}

/** A closure for the same reason as `fastPath`. `addresses`: as in scan.ts. */
export function fastForward6(
  d: Director,
  rows: Int32Array,
  addresses: Int32Array,
  cache: BatchCache,
  account: BatchAccount,
  rewriter: Rewriter,
  fitsInSegments: FitsInSegments,
): FastForward6 {
  const { connections, dests, offload, router, services, umem } = d;
  const { words } = connections;
  const { u16 } = umem;
  const { rows: cached, destination, route6, neighbour } = cache;
  const { isExpired, countIn, countOut, countFrame, updateState } = account;
  const { decrementHopLimit, setAddress6, setPort, encapsulate6, transmit } = rewriter;
  // Longer than needed, so that V8 places them outside its heap.
  const client = new Int32Array(32);
  const virtual = new Int32Array(32);

  function forwardIn6(row: number, entry: number): boolean {
    const at = entry << ENTRY_SHIFT;
    const flags = words[at + FLAGS]!;
    if ((flags & ~FAST_FLAGS6) !== 0 || isExpired(at) || hasNoChecksum(row) || isSyn(row)) return false;
    const method = flags & METHOD_MASK;
    const tunnel = method === Method.ipip;
    if (method !== Method.masq && method !== Method.gatewaying && !tunnel) return false;
    const dest = destination(words[at + DEST]!, 0);
    const hop = dest < 0 ? -1 : route6(dest);
    if (hop < 0) return false;
    const mtu = cached[dest + (tunnel ? ROOM : MTU)]!;
    if (rows[row | TOTAL]! > mtu && !fitsInSegments(row, mtu, tunnel ? TUNNELLED : hop)) return false;
    const to = neighbour(hop);
    if (to < 0) return false;
    countIn(dest, rows[row | TOTAL]!);
    words[at + PACKETS]!++;
    updateState(entry, at, Direction.input, kindOf(row));
    sendIn(row, at, method, dest, to);
    if (d.sync !== undefined) d.sync.offer(entry, words[at + PACKETS]!);
    if (offload !== undefined) noteIn(row, entry, tunnel ? dest + ROOM : dest + MTU, to);
    return true;
  }

  /** `mtuAt`: where the cache has the longest packet. */
  function noteIn(row: number, entry: number, mtuAt: number, to: number): void {
    if (isSteady(kindOf(row))) offload!.note(entry, Direction.input, cached[to]! - 1, cached[mtuAt]!);
  }

  function sendIn(row: number, at: number, method: number, dest: number, to: number): void {
    const frame = rows[row | FRAME]!;
    const total = rows[row | TOTAL]!;
    decrementHopLimit(frame);
    if (method === Method.masq) {
      const wide = words[at + DADDR]! << ENTRY_SHIFT;
      const port = words[at + DPORT_PROTO_STATE]! >>> 16;
      translate(row, frame + IP + ipv6.DST, wide + WIDE_DADDR, L4 + 2, port);
    }
    if (method !== Method.ipip) send(row, frame, total + IP, to);
    else {
      const outer = encapsulate6(frame, total, dests[cached[dest]! - 1]!, dest, rows[row | ROW_PORTS]!);
      send(row, outer, total + IP + frame - outer, to);
    }
  }

  function forwardOut6(row: number, entry: number): boolean {
    const at = entry << ENTRY_SHIFT;
    const flags = words[at + FLAGS]!;
    if ((flags & METHOD_MASK) !== Method.masq || (flags & ~FAST_FLAGS6) !== 0 || isExpired(at)) return false;
    if (hasNoChecksum(row) || mayOpen(row)) return false;
    const dest = destination(words[at + DEST]!, 0);
    if (dest < 0) return false;
    const wide = words[at + DADDR]! << ENTRY_SHIFT;
    const known = router.gateway6(addresses, row + 4);
    const hop = known === UNKNOWN ? route(wide) : known;
    const total = rows[row | TOTAL]!;
    const { mtu } = router;
    const to = total > mtu && !fitsInSegments(row, mtu, hop) ? -1 : neighbour(hop);
    if (to < 0) return false;
    countOut(dest, total);
    updateState(entry, at, Direction.output, kindOf(row));
    const frame = rows[row | FRAME]!;
    decrementHopLimit(frame);
    translate(row, frame + IP + ipv6.SRC, wide + WIDE_VADDR, L4, words[at + PORTS]! & 0xffff);
    send(row, frame, total + IP, to);
    if (offload !== undefined) noteOut(row, entry, mtu, to);
    return true;
  }

  function route(wide: number): number {
    copyWords(words, wide + WIDE_CADDR, client);
    copyWords(words, wide + WIDE_VADDR, virtual);
    return router.lookup6(client, virtual, 0);
  }

  function noteOut(row: number, entry: number, mtu: number, to: number): void {
    if (isSteady(kindOf(row))) offload!.note(entry, Direction.output, cached[to]! - 1, mtu);
  }

  /** Rewrites address and port, and the checksum of TCP or UDP. */
  function translate(row: number, addressAt: number, from: number, portAt: number, port: number): void {
    const frame = rows[row | FRAME]!;
    const isTcp = kindOf(row) !== NOT_TCP;
    const delta = setAddress6(addressAt, words, from);
    setPort(frame + portAt, port, frame + L4 + (isTcp ? 16 : 6), delta, isTcp);
  }

  function send(row: number, frame: number, length: number, to: number): void {
    transmit(frame, length, to, TYPE6);
    countFrame(rows[row | LENGTH]!, length);
  }

  /** What KIND has for an IPv4 packet. */
  function kindOf(row: number): number {
    return rows[row | KIND]! - IPV6;
  }

  function hasNoChecksum(row: number): boolean {
    return kindOf(row) === NOT_TCP && u16[(rows[row | FRAME]! + L4 + 6) >> 1] === 0;
  }

  function isSyn(row: number): boolean {
    const kind = kindOf(row);
    return kind > 0 && (kind & TCP_SYN) !== 0;
  }

  /** A reply that may open a connection of another service, or that marks may route. */
  function mayOpen(row: number): boolean {
    const opens = replyOpens(d, kindOf(row));
    return opens === Opens.maybe || (opens === Opens.served && isServed(row));
  }

  /** Returns true when a service has the packet's destination. */
  function isServed(row: number): boolean {
    const protocol = protocolOfKind(kindOf(row));
    copyWords(addresses, row + 4, client);
    return services.find6(0, protocol, client, rows[row | ROW_PORTS]! & 0xffff) !== undefined;
  }

  return { forwardIn6, forwardOut6 };
}

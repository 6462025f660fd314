/**
 * Last pass of the fast path (fastpath.ts): counts a packet of an existing connection, sets state
 * and timer, rewrites the packet and queues it on its link.
 */

import {
  CADDR,
  DADDR,
  DEST,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  METHOD_MASK,
  PACKETS,
  PORTS,
  VADDR,
} from '../../conntrack/entry.js';
import { Direction } from '../../conntrack/states.js';
import { Method } from '../../service/service.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import type { Director } from '../director.js';
import { type BatchAccount, FAST_FLAGS, isSteady } from './account.js';
import { type BatchCache, HEADER, MTU, ROOM } from './cache.js';
import type { ForwardBoth } from './forward-both.js';
import { Opens, replyOpens } from './replies.js';
import type { Rewriter } from './rewrite.js';
import { FRAME, KIND, LENGTH, NOT_TCP, protocolOfKind, ROW_PORTS, TARGET, TOTAL } from './scan.js';
import { type FitsInSegments, TUNNELLED } from './whole.js';

const IP = ethernet.HEADER;
const L4 = IP + ipv4.HEADER;

export interface FastForward {
  /**
   * A packet from the client, and one from the destination. Returns false when the packet must take
   * the slow path; then nothing was done.
   */
  forwardIn(row: number, entry: number): boolean;
  forwardOut(row: number, entry: number): boolean;
  /**
   * Returns the cache row of the neighbour for a client's packet to the destination with the cache
   * row `dest` and this address, −1 for the slow path.
   */
  neighbourFor(row: number, method: number, dest: number, address: number): number;
  /** Sends a client's packet. `to`: as `neighbourFor` returns it. */
  sendIn(row: number, entry: number, dest: number, to: number): void;
}

/** A closure for the same reason as `fastPath`. */
export function fastForward(
  d: Director,
  rows: Int32Array,
  cache: BatchCache,
  account: BatchAccount,
  rewriter: Rewriter,
  { forwardInBoth, forwardOutBoth }: ForwardBoth,
  fitsInSegments: FitsInSegments,
): FastForward {
  const { connections, dests, offload, pathMtus, router, umem } = d;
  const { words } = connections;
  const { u16 } = umem;
  const { rows: cached, destination, route, neighbour } = cache;
  const { isExpired, countIn, countOut, countFrame, updateState } = account;
  const { decrementTtl, setAddress, setPort, encapsulate4, transmit } = rewriter;

  function forwardIn(row: number, entry: number): boolean {
    const at = entry << ENTRY_SHIFT;
    const flags = words[at + FLAGS]!;
    if (hasNoChecksum(row)) return false;
    if ((flags & ~FAST_FLAGS) !== 0) return forwardInBoth(row, entry);
    if (isExpired(at)) return false;
    const address = words[at + DADDR]!;
    const dest = destination(words[at + DEST]!, address);
    const to = neighbourFor(row, flags & METHOD_MASK, dest, address);
    if (to < 0) return false;
    sendIn(row, entry, dest, to);
    return true;
  }

  function neighbourFor(row: number, method: number, dest: number, address: number): number {
    const tunnel = method === Method.ipip;
    if (dest < 0 || (method !== Method.masq && method !== Method.gatewaying && !tunnel)) return -1;
    const hop = route(dest);
    const mtu = cached[dest + (tunnel ? ROOM : MTU)]!;
    if (rows[row | TOTAL]! > mtu && !fitsInSegments(row, mtu, tunnel ? TUNNELLED : hop)) return -1;
    if (pathMtus.some && hasPathMtu(method, address)) return -1;
    return neighbour(hop);
  }

  function sendIn(row: number, entry: number, dest: number, to: number): void {
    const frame = rows[row | FRAME]!;
    const total = rows[row | TOTAL]!;
    const kind = rows[row | KIND]!;
    const at = entry << ENTRY_SHIFT;
    countIn(dest, total);
    words[at + PACKETS]!++;
    updateState(entry, at, Direction.input, kind);
    const method = words[at + FLAGS]! & METHOD_MASK;
    if (method === Method.masq)
      translate(row, frame + IP + ipv4.DST, words[at + DADDR]!, L4 + 2, words[at + DPORT_PROTO_STATE]! >>> 16);
    else decrementTtl(frame, 0);
    if (method === Method.ipip) sendTunnelled(row, frame, total, dest, to);
    else send(row, frame, total + IP, to);
    if (d.sync !== undefined) d.sync.offer(entry, words[at + PACKETS]!);
    if (offload !== undefined) noteIn(entry, kind, method === Method.ipip ? dest + ROOM : dest + MTU, to);
  }

  /** `mtuAt`: where the cache has the longest packet. */
  function noteIn(entry: number, kind: number, mtuAt: number, to: number): void {
    if (isSteady(kind)) offload!.note(entry, Direction.input, cached[to]! - 1, cached[mtuAt]!);
  }

  function sendTunnelled(row: number, frame: number, total: number, dest: number, to: number): void {
    const outer = encapsulate4(frame, total, dests[cached[dest]! - 1]!, dest, rows[row | ROW_PORTS]!);
    send(row, outer, total + IP + frame - outer, to);
  }

  function send(row: number, frame: number, length: number, to: number): void {
    transmit(frame, length, to, HEADER + 3);
    countFrame(rows[row | LENGTH]!, length);
  }

  /** Rewrites address and port, decrements the TTL, updates both checksums. */
  function translate(row: number, addressAt: number, to: number, portAt: number, port: number): void {
    const frame = rows[row | FRAME]!;
    const isTcp = rows[row | KIND] !== NOT_TCP;
    const delta = setAddress(addressAt, to);
    decrementTtl(frame, delta);
    setPort(frame + portAt, port, frame + L4 + (isTcp ? 16 : 6), delta, isTcp);
  }

  function forwardOut(row: number, entry: number): boolean {
    const kind = rows[row | KIND]!;
    const at = entry << ENTRY_SHIFT;
    const flags = words[at + FLAGS]!;
    if (hasNoChecksum(row) || mayOpen(row, kind)) return false;
    if ((flags & ~FAST_FLAGS) !== 0) return forwardOutBoth(row, entry);
    if ((flags & METHOD_MASK) !== Method.masq || isExpired(at)) return false;
    const address = words[at + VADDR]!;
    const dest = destination(words[at + DEST]!, words[at + DADDR]!);
    if (dest < 0) return false;
    const hop = router.lookup4(words[at + CADDR]!, address, 0);
    const { mtu } = router;
    const total = rows[row | TOTAL]!;
    const to = total > mtu && !fitsInSegments(row, mtu, hop) ? -1 : neighbour(hop);
    if (to < 0) return false;
    countOut(dest, total);
    updateState(entry, at, Direction.output, kind);
    const frame = rows[row | FRAME]!;
    translate(row, frame + IP + ipv4.SRC, address, L4, words[at + PORTS]! & 0xffff);
    send(row, frame, total + IP, to);
    if (offload !== undefined) noteOut(entry, kind, mtu, to);
    return true;
  }

  function noteOut(entry: number, kind: number, mtu: number, to: number): void {
    if (isSteady(kind)) offload!.note(entry, Direction.output, cached[to]! - 1, mtu);
  }

  /** A datagram without a checksum: NAT adds one, as in the kernel. */
  function hasNoChecksum(row: number): boolean {
    return rows[row | KIND] === NOT_TCP && u16[(rows[row | FRAME]! + L4 + 6) >> 1] === 0;
  }

  function hasPathMtu(method: number, address: number): boolean {
    return method !== Method.gatewaying && pathMtus.isKnown(address, d.now);
  }

  /** A reply that may open a connection of another service, or that marks may route. */
  function mayOpen(row: number, kind: number): boolean {
    const opens = replyOpens(d, kind);
    return opens === Opens.maybe || (opens === Opens.served && isServed(row, kind));
  }

  /** Returns true when a service has the packet's destination. */
  function isServed(row: number, kind: number): boolean {
    const protocol = protocolOfKind(kind);
    return d.services.find4(0, protocol, rows[row | TARGET]!, rows[row | ROW_PORTS]! & 0xffff) !== undefined;
  }

  return { forwardIn, forwardOut, neighbourFor, sendIn };
}

/**
 * Last pass of the fast path (fastpath.ts): counts a packet of an existing connection, sets state
 * and timer, rewrites the packet and queues it on its link.
 */

import {
  CADDR,
  CONN_HASHED,
  CONN_INACTIVE,
  CONN_INDEXED,
  CONN_NOOUTPUT,
  CONN_SYNC,
  DADDR,
  DEST,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  EXPIRES,
  FLAGS,
  METHOD_MASK,
  PACKETS,
  PORTS,
  TIMEOUT,
  VADDR,
  WHEEL_TICK,
} from '../../conntrack/entry.js';
import { Direction } from '../../conntrack/states.js';
import { nextTcpState, Tcp } from '../../conntrack/tcp.js';
import { Method } from '../../service/service.js';
import { FrameStat, Stat } from '../../stats/counters.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import type { Director } from '../director.js';
import { adjusted, halves, swap16, swap32 } from '../parse/aligned.js';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../parse/packet.js';
import { type BatchCache, COUNTERS, DEVICE, HEADER, MTU, SERVICE } from './cache.js';
import { FRAME, KIND, LENGTH, NOT_TCP, ROW_PORTS, TARGET, TOTAL } from './scan.js';

/**
 * The connection flags that the fast path handles. A connection with any other flag takes the slow
 * path. So a flag that is added to conntrack/entry.ts is slow until somebody adds it here and to
 * test/dataplane/fastpath. `neighbourFor` has the list of the forwarding methods.
 */
const FAST_FLAGS = METHOD_MASK | CONN_HASHED | CONN_INDEXED | CONN_INACTIVE | CONN_NOOUTPUT | CONN_SYNC;
const EVENTS = TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK;
const IP = ethernet.HEADER;
const L4 = IP + ipv4.HEADER;
const BYTES = Stat.inbytes - Stat.inpkts;
/** Indexes into `sums`: packets of a direction; their bytes follow. */
const IN = 2;
const OUT = 4;

export interface FastForward {
  /**
   * A packet from the client, and one from the destination. Returns false when the packet must take
   * the slow path; then nothing was done.
   */
  forwardIn(row: number, entry: number): boolean;
  forwardOut(row: number, entry: number): boolean;
  /**
   * Returns the cache row of the neighbour for a client's packet to this destination, −1 for the
   * slow path. `slot`: the destination's slot + 1.
   */
  neighbourFor(row: number, method: number, slot: number, address: number): number;
  /** Sends a client's packet. `to`: as `neighbourFor` returns it. */
  sendIn(row: number, entry: number, to: number): void;
  /** Adds the sums of the batch to the counters that all packets share. */
  flushCounters(): void;
}

/** A closure for the same reason as `fastPath`. */
export function fastForward(d: Director, rows: Int32Array, cache: BatchCache): FastForward {
  const { connections, counters, links, offload, pathMtus, router, umem } = d;
  const { states, words } = connections;
  const { values } = counters;
  const { i32, u16 } = umem;
  const { rows: cached, destination, route, neighbour } = cache;
  const tcpTimeouts = states.timeouts.tcp;
  // Sums of the batch: frames, their bytes; packets in, bytes in; packets out, bytes out.
  const sums = new Int32Array(32);

  function forwardIn(row: number, entry: number): boolean {
    const at = entry << ENTRY_SHIFT;
    const flags = words[at + FLAGS]!;
    if ((flags & ~FAST_FLAGS) !== 0 || isExpired(entry, at) || hasNoChecksum(row)) return false;
    const to = neighbourFor(row, flags & METHOD_MASK, words[at + DEST]!, words[at + DADDR]!);
    if (to < 0) return false;
    sendIn(row, entry, to);
    return true;
  }

  function neighbourFor(row: number, method: number, slot: number, address: number): number {
    if (method !== Method.masq && method !== Method.gatewaying) return -1;
    const dest = destination(slot, address);
    if (dest < 0) return -1;
    const to = neighbour(route(dest));
    if (to < 0 || rows[row + TOTAL]! > cached[dest + MTU]! || isFull(to)) return -1;
    return pathMtus.some && hasPathMtu(method, address) ? -1 : to;
  }

  function sendIn(row: number, entry: number, to: number): void {
    const frame = rows[row + FRAME]!;
    const kind = rows[row + KIND]!;
    const at = entry << ENTRY_SHIFT;
    const address = words[at + DADDR]!;
    count(destination(words[at + DEST]!, address), Stat.inpkts, rows[row + TOTAL]!, IN);
    words[at + PACKETS]!++;
    updateState(entry, at, Direction.input, kind);
    if ((words[at + FLAGS]! & METHOD_MASK) === Method.gatewaying) decrementTtl(frame, 0);
    else
      translate(frame, frame + IP + ipv4.DST, address, L4 + 2, words[at + DPORT_PROTO_STATE]! >>> 16, kind !== NOT_TCP);
    transmit(row, frame, to);
    if (d.sync !== undefined) d.sync.offer(entry, words[at + PACKETS]!);
    if (offload !== undefined && isSteady(kind))
      offload.note(entry, Direction.input, cached[to]! - 1, cached[destination(words[at + DEST]!, address) + MTU]!);
  }

  /** The packet changes no state: all that follow can be treated like it. */
  function isSteady(kind: number): boolean {
    return kind === NOT_TCP || (kind & EVENTS) === TCP_ACK;
  }

  function forwardOut(row: number, entry: number): boolean {
    const kind = rows[row + KIND]!;
    const at = entry << ENTRY_SHIFT;
    const flags = words[at + FLAGS]!;
    if ((flags & METHOD_MASK) !== Method.masq || (flags & ~FAST_FLAGS) !== 0 || isExpired(entry, at)) return false;
    if (kind === NOT_TCP || mayOpen(row, kind)) return false;
    const address = words[at + VADDR]!;
    const dest = destination(words[at + DEST]!, words[at + DADDR]!);
    if (dest < 0) return false;
    const to = neighbour(router.lookup4(words[at + CADDR]!, address, 0));
    const { mtu } = router;
    if (to < 0 || rows[row + TOTAL]! > mtu || isFull(to)) return false;
    count(dest, Stat.outpkts, rows[row + TOTAL]!, OUT);
    updateState(entry, at, Direction.output, kind);
    const frame = rows[row + FRAME]!;
    translate(frame, frame + IP + ipv4.SRC, address, L4, words[at + PORTS]! & 0xffff, true);
    transmit(row, frame, to);
    if (offload !== undefined && isSteady(kind)) offload.note(entry, Direction.output, cached[to]! - 1, mtu);
    return true;
  }

  /** A datagram without a checksum: NAT adds one, as in the kernel. */
  function hasNoChecksum(row: number): boolean {
    return rows[row + KIND] === NOT_TCP && u16[(rows[row + FRAME]! + L4 + 6) >> 1] === 0;
  }

  function hasPathMtu(method: number, address: number): boolean {
    return method === Method.masq && pathMtus.isKnown(address, d.now);
  }

  function isExpired(entry: number, at: number): boolean {
    return ((words[at + EXPIRES]! - connections.now) | 0) <= 0 && connections.isDue(entry);
  }

  /** A reply that may open a connection of another service, or that marks may route. */
  function mayOpen(row: number, tcpFlags: number): boolean {
    if (d.marks !== undefined || connections.withoutPort !== 0) return true;
    if ((tcpFlags & TCP_RST) !== 0) return false;
    return d.sysctl.sloppy_tcp !== 0 || ((tcpFlags & TCP_SYN) !== 0 && isServed(row));
  }

  /** Returns true when a service has the packet's destination. */
  function isServed(row: number): boolean {
    return d.services.find4(0, ipv4.TCP, rows[row + TARGET]!, rows[row + ROW_PORTS]! & 0xffff) !== undefined;
  }

  /** Returns true when the output of the neighbour's device is full. */
  function isFull(to: number): boolean {
    const { output } = links[cached[to + DEVICE]!]!;
    return output.n >= output.capacity;
  }

  function count(dest: number, packets: number, bytes: number, sum: number): void {
    const destination = cached[dest + COUNTERS]! + packets;
    const service = cached[dest + SERVICE]! + packets;
    values[destination]!++;
    values[destination + BYTES]! += bytes;
    values[service]!++;
    values[service + BYTES]! += bytes;
    sums[sum]!++;
    sums[sum + 1]! += bytes;
  }

  /** Sets state and timer. `States` handles a changed state, `Connections` an earlier expiry. */
  function updateState(entry: number, at: number, direction: 0 | 1, kind: number): void {
    if (kind === NOT_TCP) states.udp(entry, direction);
    else {
      const state = words[at + DPORT_PROTO_STATE]! & 0xff;
      if (changesState(at, state, direction, kind)) states.tcp(entry, direction, kind);
      else words[at + TIMEOUT] = tcpTimeouts[state]!;
    }
    const expires = (connections.now + words[at + TIMEOUT]!) | 0;
    words[at + EXPIRES] = expires;
    if (((expires - words[at + WHEEL_TICK]!) | 0) < 0) connections.touch(entry);
  }

  /** Most packets are ACKs of established connections: these change the state in neither table. */
  function changesState(at: number, state: number, direction: 0 | 1, tcpFlags: number): boolean {
    const silent = (words[at + FLAGS]! & CONN_NOOUTPUT) !== 0;
    if (silent && direction === Direction.output) return true;
    if (state === Tcp.ESTABLISHED && (tcpFlags & EVENTS) === TCP_ACK) return false;
    return nextTcpState(state, silent ? Direction.inputOnly : direction, tcpFlags, states.secureTcp) !== state;
  }

  /**
   * Decrements the TTL and adds `delta` to the header checksum (RFC 1624): a ones' complement sum
   * has no byte order.
   */
  function decrementTtl(frame: number, delta: number): void {
    const at = (frame + IP + 8) >> 1;
    u16[at]!--;
    u16[at + 1] = adjusted(u16[at + 1]!, 0xfffe + delta);
  }

  /** Rewrites address and port, decrements the TTL, updates both checksums (RFC 1624). */
  function translate(frame: number, addressAt: number, to: number, portAt: number, port: number, isTcp: boolean): void {
    const address = swap32(to);
    const delta = halves(~i32[addressAt >> 2]!) + halves(address);
    i32[addressAt >> 2] = address;
    decrementTtl(frame, delta);
    const at = (frame + portAt) >> 1;
    const sumAt = (frame + L4 + (isTcp ? 16 : 6)) >> 1;
    const now = adjusted(u16[sumAt]!, delta + (~u16[at]! & 0xffff) + swap16(port));
    u16[at] = swap16(port);
    if (isTcp) u16[sumAt] = now;
    else if (u16[sumAt] !== 0) u16[sumAt] = now || 0xffff;
  }

  /** Writes the Ethernet header, aligned to 4 bytes behind its first two, and queues the frame. */
  function transmit(row: number, frame: number, to: number): void {
    const { output } = links[cached[to + DEVICE]!]!;
    u16[frame >> 1] = cached[to + HEADER]!;
    i32[(frame + 2) >> 2] = cached[to + HEADER + 1]!;
    i32[(frame + 6) >> 2] = cached[to + HEADER + 2]!;
    i32[(frame + 10) >> 2] = cached[to + HEADER + 3]!;
    output.offsets[output.n] = frame;
    output.lengths[output.n++] = rows[row + TOTAL]! + IP;
    sums[0]!++;
    sums[1]! += rows[row + LENGTH]!;
  }

  function flushCounters(): void {
    const { totalRow } = counters;
    const frames = sums[0]!;
    if (frames === 0) return;
    values[FrameStat.in]! += frames;
    values[FrameStat.inBytes]! += sums[1]!;
    values[FrameStat.forwarded]! += frames;
    values[FrameStat.out]! += frames;
    values[FrameStat.outBytes]! += sums[IN + 1]! + sums[OUT + 1]! + frames * IP;
    values[totalRow + Stat.inpkts]! += sums[IN]!;
    values[totalRow + Stat.inbytes]! += sums[IN + 1]!;
    values[totalRow + Stat.outpkts]! += sums[OUT]!;
    values[totalRow + Stat.outbytes]! += sums[OUT + 1]!;
    sums.fill(0);
  }

  return { forwardIn, forwardOut, neighbourFor, sendIn, flushCounters };
}

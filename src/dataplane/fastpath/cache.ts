/**
 * Per-batch cache of the fast path: counter rows and next hop of each destination, Ethernet header
 * of each neighbour. Two direct-mapped tables of 64 rows:
 *
 *      destination   0 slot + 1     2 counter row             4 address              6 mtu      8 IPv6 address [4]
 *                    1 generation   3 service's counter row   5 next hop or REFUSED  7 room    12 tunnel's source [4]
 *      neighbour     [ number + 1 | generation | device | Ethernet header: 2 bytes, 4, 4, 4 | the last 4 for IPv6 ]
 *
 * A row is valid while its generation is the current one. Each batch and each packet of the slow
 * path starts a new generation, because rules, routes and neighbours may have changed.
 */

import { type Destination, TunnelKind } from '../../service/service.js';
import * as ethernet from '../../wire/ethernet.js';
import type { Director } from '../director.js';
import { swap16, swap32 } from '../parse/aligned.js';
import type { Link } from '../table/link.js';
import { overhead, SMALLEST_MTU4, SMALLEST_MTU6 } from '../table/tunnel-headers.js';

const ROWS = 64;
const ROW_SHIFT = 4;
const GENERATION = 1;

/** Columns of a destination's row. */
export const COUNTERS = 2;
export const SERVICE = 3;
export const ADDRESS = 4;
const HOP = 5;
export const MTU = 6;
/** The longest packet for the tunnel to the destination, −1 when only the slow path can use it. */
export const ROOM = 7;
/** IPv6 address of the destination, and source address of its tunnel: IPv4 in the last word. */
export const ADDRESS6 = 8;
export const SOURCE6 = 12;
export const TUNNEL_SOURCE = 15;
/** Columns of a neighbour's row. */
export const DEVICE = 2;
export const HEADER = 3;
export const TYPE6 = 7;

/** The fast path must not use the destination. */
const REFUSED = -1;
/** Not looked up yet: a look-up creates a neighbour entry. */
const UNRESOLVED = -99;
const NOBODY = new Int32Array(4);

export interface BatchCache {
  /** All rows. The look-ups below return indexes into it. */
  readonly rows: Int32Array;
  /** Invalidates all rows. */
  invalidate(): void;
  /**
   * Returns the row of the destination. `slot`: its slot + 1. `address`: the connection's address
   * of it, 0 for IPv6. −1: it was removed.
   */
  destination(slot: number, address: number): number;
  /**
   * Returns the neighbour of a destination's row, or a negative number. Sets the row's MTU and
   * ROOM. `route6`: for an IPv6 packet. A destination of the other family is refused.
   */
  route(row: number): number;
  route6(row: number): number;
  /**
   * Returns the row of a resolved neighbour, or −1, also where the output of its device is full.
   * `hop`: as `route` returns it.
   */
  neighbour(hop: number): number;
}

/** A closure for the same reason as `fastPath`. */
export function batchCache(d: Director): BatchCache {
  const { counters, dests, links, neighbours, router } = d;
  const rows = new Int32Array((2 * ROWS) << ROW_SHIFT);
  const state = new Int32Array(32);

  function invalidate(): void {
    const generation = (state[0]! + 1) | 0;
    state[0] = generation === 0 ? 1 : generation;
    if (generation === 0) rows.fill(0);
  }

  function destination(slot: number, address: number): number {
    const row = (slot & (ROWS - 1)) << ROW_SHIFT;
    if (rows[row] !== slot || rows[row + GENERATION] !== state[0] || rows[row + ADDRESS] !== address)
      fillDestination(row, slot, address);
    return rows[row + COUNTERS] === REFUSED ? -1 : row;
  }

  function fillDestination(row: number, slot: number, address: number): void {
    const dest = slot === 0 ? undefined : dests[slot - 1];
    rows[row] = slot;
    rows[row + GENERATION] = state[0]!;
    rows[row + ADDRESS] = address;
    rows[row + COUNTERS] = REFUSED;
    if (dest === undefined || !dest.available) return;
    rows[row + COUNTERS] = counters.destinationRow(dest.slot);
    rows[row + SERVICE] = counters.serviceRow(dest.service.slot);
    rows[row + HOP] = UNRESOLVED;
  }

  function route(row: number): number {
    if (rows[row + HOP] === UNRESOLVED) fillRoute(row, dests[rows[row]! - 1]!);
    return rows[row + HOP]!;
  }

  function fillRoute(row: number, dest: Destination): void {
    const hop = dest.family === 4 ? router.lookup4(rows[row + ADDRESS]!, 0, 0) : REFUSED;
    rows[row + HOP] = hop;
    if (hop < 0) return;
    rows[row + MTU] = router.mtu;
    const source = router.source || (links[neighbours.all[hop]!.device]!.address(4)?.words[3] ?? 0);
    rows[row + TUNNEL_SOURCE] = source;
    rows[row + ROOM] = source === 0 ? -1 : roomFor(dest, SMALLEST_MTU4);
  }

  function route6(row: number): number {
    if (rows[row + HOP] === UNRESOLVED) fillRoute6(row, dests[rows[row]! - 1]!);
    return rows[row + HOP]!;
  }

  function fillRoute6(row: number, dest: Destination): void {
    const hop = dest.family === 6 ? router.lookup6(dest.address6, NOBODY, 0) : REFUSED;
    rows[row + HOP] = hop;
    if (hop < 0) return;
    rows[row + MTU] = router.mtu;
    rows.set(dest.address6, row + ADDRESS6);
    const source = router.source6 ?? links[neighbours.all[hop]!.device]!.address(6)?.words;
    if (source !== undefined) rows.set(source, row + SOURCE6);
    rows[row + ROOM] = source === undefined ? -1 : roomFor(dest, SMALLEST_MTU6);
  }

  /** A checksum over the whole packet is the slow path's work. */
  function roomFor(dest: Destination, smallest: number): number {
    const room = router.mtu - overhead(dest);
    return room < smallest || (dest.tunnelChecksum !== 0 && dest.tunnelKind !== TunnelKind.ipip) ? -1 : room;
  }

  function neighbour(hop: number): number {
    if (hop < 0) return -1;
    const row = (ROWS + (hop & (ROWS - 1))) << ROW_SHIFT;
    if (rows[row] !== hop + 1 || rows[row + GENERATION] !== state[0]) fillNeighbour(row, hop);
    return rows[row + DEVICE]! < 0 || isFull(links[rows[row + DEVICE]!]!) ? -1 : row;
  }

  function isFull({ output }: Link): boolean {
    return output.n >= output.capacity;
  }

  function fillNeighbour(row: number, hop: number): void {
    const neighbour = neighbours.all[hop]!;
    rows[row] = hop + 1;
    rows[row + GENERATION] = state[0]!;
    rows[row + DEVICE] = -1;
    if (!neighbour.usable) return;
    neighbour.used = true;
    const { mac } = links[neighbour.device]!;
    const hi = mac[0];
    const lo = mac[1] | 0;
    rows[row + DEVICE] = neighbour.device;
    rows[row + HEADER] = swap16(neighbour.macHi);
    rows[row + HEADER + 1] = swap32(neighbour.macLo | 0);
    rows[row + HEADER + 2] = swap32((hi << 16) | (lo >>> 16));
    rows[row + HEADER + 3] = swap32((lo << 16) | ethernet.TYPE_IPV4);
    rows[row + TYPE6] = swap32((lo << 16) | ethernet.TYPE_IPV6);
  }

  return { rows, invalidate, destination, route, route6, neighbour };
}

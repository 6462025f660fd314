/**
 * What the short way of packets asks again and again within a batch, found once: of a destination its rows of counters and
 * its route, of a neighbour the Ethernet header that leads to it. Two direct-mapped tables of 64 rows:
 *
 *     destination   [ slot + 1 | stamp | its counters | its service's | address | neighbour or refusal | mtu | – ]
 *     neighbour     [ number + 1 | stamp | device | header: 2 bytes, 4, 4, 4 | – ]
 *
 * A row is good while its stamp is the one of now: between batches, and behind every packet that went the long way, anything
 * may have changed.
 */
import * as ethernet from '../../wire/ethernet.js';
import type { Director } from '../director.js';
import { swap16, swap32 } from '../parse/aligned.js';

const ROWS = 64;
const ROW_SHIFT = 3;
const STAMP = 1;

/** Columns of a destination's row. */
export const COUNTERS = 2;
export const SERVICE = 3;
export const ADDRESS = 4;
const HOP = 5;
export const MTU = 6;
/** Columns of a neighbour's row. */
export const DEVICE = 2;
export const HEADER = 3;

/** Of a destination: it may not be used on the short way. */
const REFUSED = -1;
/** Its route was not asked for yet: to ask makes neighbours. */
const UNASKED = -99;

export interface BatchCache {
  /** All rows; numbers of rows that the look-ups give are places in it. */
  readonly rows: Int32Array;
  /** What was found is not to be trusted any more. */
  forget(): void;
  /** The row of the destination in this slot, which connections send to by `address`; −1: gone. */
  destination(slot: number, address: number): number;
  /** The neighbour that a destination's row leads to, or negative; MTU is then the route's. */
  route(row: number): number;
  /** The row of a neighbour that is there, or −1. */
  neighbour(hop: number): number;
}

/** A function for the same reason as `express`. */
export function batchCache(d: Director): BatchCache {
  const { counters, dests, links, neighbours, router } = d;
  const rows = new Int32Array((2 * ROWS) << ROW_SHIFT);
  const state = new Int32Array(32);

  function forget(): void {
    const stamp = (state[0]! + 1) | 0;
    state[0] = stamp === 0 ? 1 : stamp;
    if (stamp === 0) rows.fill(0);
  }

  function destination(slot: number, address: number): number {
    const row = (slot & (ROWS - 1)) << ROW_SHIFT;
    if (rows[row] !== slot || rows[row + STAMP] !== state[0] || rows[row + ADDRESS] !== address)
      fillDestination(row, slot, address);
    return rows[row + COUNTERS] === REFUSED ? -1 : row;
  }

  function fillDestination(row: number, slot: number, address: number): void {
    const dest = slot === 0 ? undefined : dests[slot - 1];
    rows[row] = slot;
    rows[row + STAMP] = state[0]!;
    rows[row + ADDRESS] = address;
    rows[row + COUNTERS] = REFUSED;
    if (dest === undefined || !dest.available) return;
    rows[row + COUNTERS] = counters.destinationRow(dest.slot);
    rows[row + SERVICE] = counters.serviceRow(dest.service.slot);
    rows[row + HOP] = dest.family === 4 ? UNASKED : REFUSED;
  }

  function route(row: number): number {
    if (rows[row + HOP] === UNASKED) {
      rows[row + HOP] = router.lookup4(rows[row + ADDRESS]!, 0, 0);
      rows[row + MTU] = router.mtu;
    }
    return rows[row + HOP]!;
  }

  function neighbour(hop: number): number {
    if (hop < 0) return -1;
    const row = (ROWS + (hop & (ROWS - 1))) << ROW_SHIFT;
    if (rows[row] !== hop + 1 || rows[row + STAMP] !== state[0]) fillNeighbour(row, hop);
    return rows[row + DEVICE]! < 0 ? -1 : row;
  }

  function fillNeighbour(row: number, hop: number): void {
    const neighbour = neighbours.all[hop]!;
    rows[row] = hop + 1;
    rows[row + STAMP] = state[0]!;
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
  }

  return { rows, forget, destination, route, neighbour };
}

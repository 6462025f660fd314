/**
 * Cache for routes via a gateway that depend on the destination only. Their tables are merged into
 * one Fib4, with one cached answer per route, by the route's number:
 *
 *      row: [ neighbour | mtu | preferred source | generation ]
 *
 * A cache by address would serve destinations as well, but not the clients of 100,000 connections.
 */
import type { Fib4 } from './fib.js';

const ROW_SHIFT = 2;

export class GatewayCache {
  private readonly rows: Int32Array;

  /** `fib`: the tables as one (compiled-routes.ts). `count`: number of routes. */
  constructor(
    private readonly fib: Fib4,
    count: number,
  ) {
    // Never so short that V8 keeps the array on its heap, where it would move.
    this.rows = new Int32Array(Math.max(32, count << ROW_SHIFT));
  }

  /** The row of the route to this address, −1 for none. */
  find(address: number): number {
    const place = this.fib.find(address);
    return place < 0 ? -1 : place << ROW_SHIFT;
  }
  isOf(row: number, route: number): boolean {
    return row >= 0 && row >> ROW_SHIFT === route;
  }
  isGood(row: number, generation: number): boolean {
    return this.rows[row + 3] === generation;
  }
  hop(row: number): number {
    return this.rows[row]!;
  }
  mtu(row: number): number {
    return this.rows[row + 1]!;
  }
  source(row: number): number {
    return this.rows[row + 2]!;
  }
  set(row: number, hop: number, mtu: number, source: number, generation: number): void {
    const { rows } = this;
    rows[row] = hop;
    rows[row + 1] = mtu;
    rows[row + 2] = source;
    rows[row + 3] = generation;
  }
}

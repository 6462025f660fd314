/**
 * Finds the connections of a batch's IPv6 packets, in the same three steps as fastpath.ts does for
 * IPv4: bucket, first entry of its chain, connection. The first two are for prefetching.
 */
import { ENTRY_SHIFT } from '../../conntrack/entry.js';
import { findIn6, findOut6 } from '../../conntrack/find-wide.js';
import { fold, isPairIn6, isPairOut6 } from '../../conntrack/match.js';
import * as ipv4 from '../../wire/ipv4.js';
import type { Director } from '../director.js';
import { FOLDS, KIND6, NOT_TCP, ROW_PORTS } from './scan.js';

/** Flows for which the direction of the last packet is remembered, by hash. */
const FLOWS_BITS = 12;

export interface Finder6 {
  /** Returns the bucket of the packet's client, by the direction of the flow's last packet. */
  bucket6(row: number): number;
  /** As `search6`; `head` is the first entry of the chain in the bucket of `bucket6`. */
  searchFrom6(head: number, row: number): number;
  /** Returns the connection, negated for a reply, or 0. */
  search6(row: number): number;
}

/** A closure for the same reason as `fastPath`. `addresses`: as in scan.ts. */
export function finder6(d: Director, rows: Int32Array, addresses: Int32Array): Finder6 {
  const { table, words } = d.connections;
  const { vipCounts } = table;
  // By hash of the flow: 1 when its last packet was a reply.
  const replies = new Uint8Array(1 << FLOWS_BITS);
  // Longer than needed, so that V8 places them outside its heap.
  const source = new Int32Array(32);
  const target = new Int32Array(32);

  function bucket6(row: number): number {
    const ports = rows[row | ROW_PORTS]!;
    return replies[flowHash(row)] === 0
      ? table.bucket(protocolOf(row), fold(addresses, row), ports >>> 16)
      : table.bucket(protocolOf(row), fold(addresses, row + 4), ports & 0xffff);
  }

  function protocolOf(row: number): number {
    return rows[row | KIND6] === NOT_TCP ? ipv4.UDP : ipv4.TCP;
  }

  function flowHash(row: number): number {
    return Math.imul(rows[row | FOLDS]! ^ (rows[row | ROW_PORTS]! >>> 16), 0x9e3779b1) >>> (32 - FLOWS_BITS);
  }

  /** As `searchFrom` of fastpath.ts. */
  function searchFrom6(head: number, row: number): number {
    const at = head << ENTRY_SHIFT;
    const protocol = protocolOf(row);
    const ports = rows[row | ROW_PORTS]!;
    if (head === 0) return search6(row);
    if (replies[flowHash(row)] === 0)
      return isPairIn6(words, at, protocol, addresses, row, ports) ? head : search6(row);
    if (vipCounts.mayHave(fold(addresses, row + 4))) return search6(row);
    return isPairOut6(words, at, protocol, addresses, row, ports) ? 0 - head : search6(row);
  }

  function search6(row: number): number {
    for (let i = 0; i < 4; i++) {
      source[i] = addresses[row + i]!;
      target[i] = addresses[row + 4 + i]!;
    }
    const protocol = protocolOf(row);
    const ports = rows[row | ROW_PORTS]!;
    const isReply = replies[flowHash(row)] !== 0 && !vipCounts.mayHave(fold(target));
    let entry = isReply ? 0 : findIn6(table, protocol, source, target, ports);
    // Not −x: −0 is no small integer, V8 would allocate it.
    if (entry === 0) entry = 0 - findOut6(table, protocol, source, ports >>> 16, target, ports & 0xffff);
    replies[flowHash(row)] = entry < 0 ? 1 : 0;
    return entry;
  }

  return { bucket6, searchFrom6, search6 };
}

/**
 * Finds the connections of a batch's IPv6 packets, as fastpath.ts does for IPv4.
 */
import { ENTRY_SHIFT, NEXT } from '../../conntrack/entry.js';
import { findIn6, findOut6 } from '../../conntrack/find-wide.js';
import { isPairIn6, isPairOut6 } from '../../conntrack/match.js';
import type { Director } from '../director.js';
import { KIND, protocolOfKind, ROW_PORTS, sourceHash, TARGET } from './scan.js';

export interface Finder6 {
  /** As `search6`; `head` is the first entry of the chain in the prefetched bucket. */
  searchFrom6(head: number, row: number): number;
  /** Returns the connection, negated for a reply, or 0. */
  search6(row: number): number;
}

/**
 * A closure for the same reason as `fastPath`. `addresses`: as in scan.ts. `replies`: as in
 * fastpath.ts.
 */
export function finder6(d: Director, rows: Int32Array, addresses: Int32Array, replies: Uint8Array): Finder6 {
  const { table, words } = d.connections;
  const { vipCounts } = table;
  // Longer than needed, so that V8 places them outside its heap.
  const source = new Int32Array(32);
  const target = new Int32Array(32);

  /**
   * As `searchFrom` of fastpath.ts, for the whole chain: `search6` costs more than the next entry.
   */
  function searchFrom6(head: number, row: number): number {
    const protocol = protocolOfKind(rows[row | KIND]!);
    const ports = rows[row | ROW_PORTS]!;
    if (replies[sourceHash(rows, row)] === 0) {
      for (let entry = head; entry !== 0; entry = words[(entry << ENTRY_SHIFT) + NEXT]!)
        if (isPairIn6(words, entry << ENTRY_SHIFT, protocol, addresses, row, ports)) return entry;
    } else if (!vipCounts.mayHave(rows[row | TARGET]!)) {
      for (let entry = head; entry !== 0; entry = words[(entry << ENTRY_SHIFT) + NEXT]!)
        if (isPairOut6(words, entry << ENTRY_SHIFT, protocol, addresses, row, ports)) return 0 - entry;
    }
    return search6(row);
  }

  function search6(row: number): number {
    for (let i = 0; i < 4; i++) {
      source[i] = addresses[row + i]!;
      target[i] = addresses[row + 4 + i]!;
    }
    const protocol = protocolOfKind(rows[row | KIND]!);
    const ports = rows[row | ROW_PORTS]!;
    const isReply = replies[sourceHash(rows, row)] !== 0 && !vipCounts.mayHave(rows[row | TARGET]!);
    let entry = isReply ? 0 : findIn6(table, protocol, source, target, ports);
    // Not −x: −0 is no small integer, V8 would allocate it.
    if (entry === 0) entry = 0 - findOut6(table, protocol, source, ports >>> 16, target, ports & 0xffff);
    replies[sourceHash(rows, row)] = entry < 0 ? 1 : 0;
    return entry;
  }

  return { searchFrom6, search6 };
}

/**
 * Prefetches the overflow index (conntrack/hash/tuple-index.ts) for clients with more connections
 * than a bucket chain may hold: an index slot and an entry, two cache misses for each packet. With
 * the prefetch a client with many connections costs as much as many clients.
 */
import { CADDR, ENTRY_SHIFT, PORTS, VADDR } from '../../conntrack/entry.js';
import type { ConnectionTable } from '../../conntrack/table.js';
import { FOUND, KIND, protocolOfKind, ROW_PORTS, ROW_SHIFT, SLOW_PATH, SOURCE, TARGET } from './scan.js';

/**
 * `n`: number of filled rows, their FOUND the first entry of the packet's chain. The result means
 * nothing, but the compiler removes loads without a use.
 */
export type PrefetchOverflow = (n: number) => number;

/** A closure for the same reason as `fastPath`. `room`: the largest batch. */
export function overflowPrefetcher(table: ConnectionTable, rows: Int32Array, room: number): PrefetchOverflow {
  const { words, tupleIndex } = table;
  const slots = new Int32Array(room);

  function prefetch(n: number): number {
    for (let i = 0; i < n; i++) slots[i] = rows[(i << ROW_SHIFT) + KIND]! <= SLOW_PATH ? 0 : slotOf(i << ROW_SHIFT);
    for (let i = 0; i < n; i++) slots[i] = tupleIndex.entryAt(slots[i]!);
    let lines = 0;
    for (let i = 0; i < n; i++) lines ^= words[slots[i]! << ENTRY_SHIFT]!;
    return lines;
  }

  /**
   * Returns the packet's slot of the index; 0 when the chain begins with the packet's connection or
   * with another client's: then the index is hardly needed.
   */
  function slotOf(row: number): number {
    const head = rows[row | FOUND]! << ENTRY_SHIFT;
    const source = rows[row | SOURCE]!;
    const target = rows[row | TARGET]!;
    const ports = rows[row | ROW_PORTS]!;
    if (words[head + CADDR] !== source || (words[head + PORTS]! ^ ports) >>> 16 !== 0) return 0;
    if (words[head + VADDR] === target && words[head + PORTS] === ports) return 0;
    return tupleIndex.placeIn4(protocolOfKind(rows[row | KIND]!), source, target, ports);
  }

  return prefetch;
}

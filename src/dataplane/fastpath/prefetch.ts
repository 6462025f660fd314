/**
 * What the short way looks at for packets of a client that has more connections than its chain holds (conntrack/tuple-index.ts):
 * the rest are in an index, a place and an entry elsewhere in memory for each. Touched for a whole batch, as its buckets
 * are, they are there when they are asked for; one client that walks a range costs then what as many clients cost.
 */
import { CADDR, ENTRY_SHIFT, PORTS, VADDR } from '../../conntrack/entry.js';
import type { ConnectionTable } from '../../conntrack/table.js';
import * as ipv4 from '../../wire/ipv4.js';
import { FOUND, KIND, NOT_TCP, ROW_PORTS, ROW_SHIFT, SLOW_PATH, SOURCE, TARGET } from './scan.js';

/**
 * `n`: rows of `seen` that are filled, PLACE with the first entry of the packet's chain. Returns what nobody needs, but loads
 * whose result goes nowhere are left out by the compiler.
 */
export type PrefetchOverflow = (n: number) => number;

/** A closure for the reason that `express` is one. Batches have up to `room` frames. */
export function overflowPrefetcher(table: ConnectionTable, rows: Int32Array, room: number): PrefetchOverflow {
  const { words, tupleIndex } = table;
  const places = new Int32Array(room);

  function fetch(n: number): number {
    for (let i = 0; i < n; i++) places[i] = rows[(i << ROW_SHIFT) + KIND]! <= SLOW_PATH ? 0 : placeOf(i << ROW_SHIFT);
    for (let i = 0; i < n; i++) places[i] = tupleIndex.entryAt(places[i]!);
    let lines = 0;
    for (let i = 0; i < n; i++) lines ^= words[places[i]! << ENTRY_SHIFT]!;
    return lines;
  }

  /** Place 0 will do where the chain begins with the packet's own connection, or another client's: it is hardly crowded. */
  function placeOf(row: number): number {
    const head = rows[row + FOUND]! << ENTRY_SHIFT;
    const source = rows[row + SOURCE]!;
    const target = rows[row + TARGET]!;
    const ports = rows[row + ROW_PORTS]!;
    if (words[head + CADDR] !== source || (words[head + PORTS]! ^ ports) >>> 16 !== 0) return 0;
    if (words[head + VADDR] === target && words[head + PORTS] === ports) return 0;
    return tupleIndex.placeIn4(rows[row + KIND] === NOT_TCP ? ipv4.UDP : ipv4.TCP, source, target, ports);
  }

  return fetch;
}

/**
 * What the short way looks at for packets of a client that has more connections than its chain holds (conntrack/tuples.ts):
 * the rest are in an index, a place and an entry elsewhere in memory for each. Touched for a whole batch, as its buckets
 * are, they are there when they are asked for; one client that walks a range costs then what as many clients cost.
 */
import { CADDR, ENTRY_SHIFT, PORTS, VADDR } from '../conntrack/entry.js';
import type { ConnectionTable } from '../conntrack/table.js';
import type { Umem } from '../device/umem.js';
import * as ethernet from '../wire/ethernet.js';
import * as ipv4 from '../wire/ipv4.js';
import { swap32 } from './plain.js';

const IP = ethernet.HEADER;
const L4 = IP + ipv4.HEADER;

/**
 * `heads`: by place in the batch the first entry of the packet's chain, negative: not looked for. Returns what nobody needs,
 * but loads whose result goes nowhere are left out by the compiler.
 */
export type FetchCrowd = (offsets: Int32Array, heads: Int32Array, n: number) => number;

/** A closure for the reason that `express` is one. Batches have up to `room` frames. */
export function crowdFetcher(table: ConnectionTable, { i32, u8 }: Umem, room: number): FetchCrowd {
  const { words, tuples } = table;
  const places = new Int32Array(room);

  function fetch(offsets: Int32Array, heads: Int32Array, n: number): number {
    for (let i = 0; i < n; i++) places[i] = heads[i]! < 0 ? 0 : placeOf(offsets[i]!, heads[i]! << ENTRY_SHIFT);
    for (let i = 0; i < n; i++) places[i] = tuples.entryAt(places[i]!);
    let lines = 0;
    for (let i = 0; i < n; i++) lines ^= words[places[i]! << ENTRY_SHIFT]!;
    return lines;
  }

  /** Place 0 will do where the chain begins with the packet's own connection, or another client's: it is hardly crowded. */
  function placeOf(frame: number, head: number): number {
    const src = swap32(i32[(frame + IP + ipv4.SRC) >> 2]!);
    const dst = swap32(i32[(frame + IP + ipv4.DST) >> 2]!);
    const ports = swap32(i32[(frame + L4) >> 2]!);
    if (words[head + CADDR] !== src || (words[head + PORTS]! ^ ports) >>> 16 !== 0) return 0;
    if (words[head + VADDR] === dst && words[head + PORTS] === ports) return 0;
    return tuples.placeIn4(u8[frame + IP + 9]!, src, dst, ports);
  }

  return fetch;
}

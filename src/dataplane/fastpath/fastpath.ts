/**
 * The short way of what most packets are: whole IPv4 TCP and UDP packets of a connection that is known, on their way by
 * masquerading or gatewaying, with nothing to say about them; and the SYNs of new clients (new-conn.ts). Everything else goes the long way (dataplane/ingress.ts) in its turn,
 * untouched; the long way alone decides what is right, and a test holds the two equal.
 *
 *     batch ─► sight: headers sound? ─► fetch: bucket, entry ─► find: whose? ─► carry: counts, state, timer, rewrite, output
 *              └─ no: the long way                              └─ nobody's: the long way, as all that carry does not like
 *
 * Walks over the batch instead of packets in turn: those of a walk do not depend on each other, so the processor waits for
 * the cache misses of many at once. When an earlier packet of the batch changed the table, the later are searched anew.
 */
import { ENTRY_SHIFT, secondWord } from '../../conntrack/entry.js';
import type { Batch } from '../../device/batch.js';
import * as ipv4 from '../../wire/ipv4.js';
import type { Director, FastPath } from '../director.js';
import { TCP_ACK, TCP_SYN } from '../parse/packet.js';
import { isInBoxes } from '../trace/boxes.js';
import { batchCache } from './cache.js';
import { fastForward } from './forward.js';
import { connOpener } from './new-conn.js';
import { overflowPrefetcher } from './prefetch.js';
import {
  FOUND,
  FRAME,
  KIND,
  LENGTH,
  NOT_TCP,
  ROW_PORTS,
  ROW_SHIFT,
  rowScanner,
  SLOW_PATH,
  SOURCE,
  TARGET,
  WIDE,
} from './scan.js';
import type { SlowPath, SlowPathScheduled } from './slow-path.js';

/** Of the sums: nobody reads it, but loads whose result goes nowhere are left out by the compiler. */
const SINK = 0;
const ROOM = 512;
/** Sources that are guessed to be destinations of ours. */
const GUESSES = 4096;

function hasSyn(kind: number): boolean {
  return kind > 0 && (kind & TCP_SYN) !== 0;
}
/** What a client begins with. */
function isOpening(kind: number): boolean {
  return kind > 0 && (kind & (TCP_SYN | TCP_ACK)) === TCP_SYN;
}

/**
 * Functions in a function instead of a class: V8 compiles what only one closure has with the arrays it closes over as
 * constants, their addresses and lengths in the code. With `this` in their place it was half as fast.
 */
export function fastPath(d: Director, slowPath: SlowPath, slowPathScheduled: SlowPathScheduled): FastPath {
  const { table, words } = d.connections;
  const { buckets, vipCounts } = table;
  const rows = new Int32Array(ROOM << ROW_SHIFT);
  const sink = new Int32Array(32);
  // By source: whether its last packet was a reply. It only decides which bucket is fetched early.
  const replies = new Uint8Array(GUESSES);
  const prefetchOverflow = overflowPrefetcher(table, rows, ROOM);
  const scan = rowScanner(d, rows);
  const cache = batchCache(d);
  const forwarder = fastForward(d, rows, cache);
  const { forwardIn, forwardOut, settle } = forwarder;
  const openConn = connOpener(d, rows, cache, forwarder, slowPathScheduled);

  function process(device: number, batch: Batch): void {
    const { offsets, lengths, n } = batch;
    cache.forget();
    scan(device, offsets, lengths, n);
    if (d.trace !== undefined) divert(n, d.trace.diverted);
    aim(n);
    fetch(n);
    if (table.tupleIndex.size !== 0) sink[SINK] = prefetchOverflow(n);
    find(n);
    const { changes } = table;
    for (let i = 0; i < n; i++) {
      const row = i << ROW_SHIFT;
      if (forwardFast(device, row, changes !== table.changes)) continue;
      slowPath(d, device, rows[row + FRAME]!, rows[row + LENGTH]!);
      cache.forget();
    }
    settle();
  }

  /** Packets that a trace may be about take the slow path, where they are traced; `boxes` as in trace/boxes.ts. */
  function divert(n: number, boxes: Int32Array): void {
    for (let i = 0; i < n; i++) {
      const row = i << ROW_SHIFT;
      const kind = rows[row + KIND]!;
      if (kind <= SLOW_PATH) continue;
      const ports = rows[row + ROW_PORTS]!;
      const protocol = kind === NOT_TCP ? ipv4.UDP : ipv4.TCP;
      if (isInBoxes(boxes, protocol, rows[row + SOURCE]!, rows[row + TARGET]!, ports >>> 16, ports & 0xffff))
        rows[row + KIND] = SLOW_PATH;
    }
  }

  /** False: the packet must go the long way. `stale`: what `find` has found may be gone. */
  function forwardFast(device: number, row: number, stale: boolean): boolean {
    const kind = rows[row + KIND]!;
    if (kind === SLOW_PATH) return false;
    if (isOpening(kind)) return isUnknown(row) && openConn(device, row);
    const entry = stale ? search(row) : rows[row + FOUND]!;
    return entry > 0 ? !hasSyn(kind) && forwardIn(row, entry) : entry < 0 && forwardOut(row, -entry);
  }

  /** Which bucket each will be looked for in, if it is what the last packet of its source was. */
  function aim(n: number): void {
    for (let i = 0; i < n; i++) {
      const row = i << ROW_SHIFT;
      if (rows[row + KIND]! <= SLOW_PATH) continue;
      const ports = rows[row + ROW_PORTS]!;
      const protocol = rows[row + KIND] === NOT_TCP ? ipv4.UDP : ipv4.TCP;
      rows[row + FOUND] =
        replies[guess(row)] === 0
          ? table.bucket(protocol, rows[row + SOURCE]!, ports >>> 16)
          : table.bucket(protocol, rows[row + TARGET]!, ports & 0xffff);
    }
  }

  function guess(row: number): number {
    return Math.imul(rows[row + SOURCE]! ^ (rows[row + ROW_PORTS]! >>> 16), 0x9e3779b1) >>> 20;
  }

  /** Two loops so short that the processor has dozens of their cache misses under way at once. */
  function fetch(n: number): void {
    for (let i = 0; i < n; i++) {
      const row = i << ROW_SHIFT;
      if (rows[row + KIND] !== SLOW_PATH) rows[row + FOUND] = buckets[rows[row + FOUND]!]!;
    }
    let lines = 0;
    for (let i = 0; i < n; i++) {
      const row = i << ROW_SHIFT;
      if (rows[row + KIND] !== SLOW_PATH) lines ^= words[rows[row + FOUND]! << ENTRY_SHIFT]!;
    }
    for (let i = 0; i < n; i++)
      if (rows[(i << ROW_SHIFT) + KIND] === WIDE) lines ^= secondWord(words, rows[(i << ROW_SHIFT) + FOUND]!);
    sink[SINK] = lines;
  }

  function find(n: number): void {
    for (let i = 0; i < n; i++) {
      const row = i << ROW_SHIFT;
      // It goes the long way; but its bucket was fetched, which it will ask for.
      if (rows[row + KIND] === WIDE) rows[row + KIND] = SLOW_PATH;
      if (rows[row + KIND] !== SLOW_PATH && !isOpening(rows[row + KIND]!)) rows[row + FOUND] = search(row);
    }
  }

  /** What a client says with SYN in a known connection is for the long way to judge. Not asked in `find`: most SYNs change the table. */
  function isUnknown(row: number): boolean {
    return table.findIn4(ipv4.TCP, rows[row + SOURCE]!, rows[row + TARGET]!, rows[row + ROW_PORTS]!) === 0;
  }

  /** The connection, the negative one of a reply, or 0. */
  function search(row: number): number {
    const protocol = rows[row + KIND] === NOT_TCP ? ipv4.UDP : ipv4.TCP;
    const source = rows[row + SOURCE]!;
    const target = rows[row + TARGET]!;
    const ports = rows[row + ROW_PORTS]!;
    const isReply = replies[guess(row)] !== 0 && !vipCounts.mayHave(target);
    let entry = isReply ? 0 : table.findIn4(protocol, source, target, ports);
    // Not −x: of 0 that would be −0, which is no small integer and is allocated.
    if (entry === 0) entry = 0 - table.findOut4(protocol, source, ports >>> 16, target, ports & 0xffff);
    replies[guess(row)] = entry < 0 ? 1 : 0;
    return entry;
  }

  return process;
}

/**
 * Fast path: unfragmented TCP and UDP packets of existing connections, and IPv4 SYNs that open one
 * (new-conn.ts). It handles masquerading, gatewaying and tunnels, full NAT and snat
 * (forward-both.ts). Every other packet takes the slow path (ingress.ts), unchanged and in its
 * order. The slow path defines what is right; test/dataplane/fastpath compares the two.
 *
 *      batch ─► scan: check headers ─► prefetch: bucket, entry ─► find connection ─► forward: count, state, timer, rewrite, queue
 *               └─ no: slow path                                  └─ none, or not on the allow-list: slow path
 *
 * Each pass handles the whole batch. The packets of a pass are independent, so the CPU has the
 * cache misses of many packets under way at once. When a packet changes the table, the connections
 * of later packets are searched again. A GSO packet in a large frame is forwarded here in one piece
 * (whole.ts) or not at all: the loop cuts it.
 */
import { ENTRY_SHIFT, secondWord } from '../../conntrack/entry.js';
import { isIn4, isOut4 } from '../../conntrack/match.js';
import type { Batch } from '../../device/batch.js';
import * as ipv4 from '../../wire/ipv4.js';
import type { Director, FastPath } from '../director.js';
import { TCP_ACK, TCP_SYN } from '../parse/packet.js';
import { BOX, hasPortsOfBox } from '../trace/boxes.js';
import { batchAccount } from './account.js';
import { batchCache } from './cache.js';
import { finder6 } from './find6.js';
import { fastForward } from './forward.js';
import { forwardBoth } from './forward-both.js';
import { fastForward6 } from './forward6.js';
import { connOpener } from './new-conn.js';
import { overflowPrefetcher } from './prefetch.js';
import { rewriter } from './rewrite.js';
import {
  FOUND,
  FRAME,
  KIND,
  LENGTH,
  protocolOfKind,
  ROW_PORTS,
  ROW_SHIFT,
  rowScanner,
  SLOW_PATH,
  SOURCE,
  SOURCES,
  sourceHash,
  TARGET,
} from './scan.js';
import type { SlowPath, SlowPathScheduled } from './slow-path.js';
import { segmentCheck } from './whole.js';

/** Word that takes the result of prefetches: the compiler removes loads without a use. */
const SINK = 0;
/** The largest batch. */
const ROOM = 512;

function hasSyn(kind: number): boolean {
  return kind > 0 && (kind & TCP_SYN) !== 0;
}
/** The first segment of a TCP connection. */
function isOpening(kind: number): boolean {
  return kind > 0 && (kind & (TCP_SYN | TCP_ACK)) === TCP_SYN;
}

/**
 * Makes the fast path of a director. A closure instead of a class: V8 compiles a function of a
 * single closure with the captured arrays as constants, addresses and lengths included. With `this`
 * it was half as fast.
 */
export function fastPath(d: Director, slowPath: SlowPath, slowPathScheduled: SlowPathScheduled): FastPath {
  const { table, words } = d.connections;
  const { buckets, vipCounts } = table;
  const rows = new Int32Array(ROOM << ROW_SHIFT);
  const addresses = new Int32Array(ROOM << ROW_SHIFT);
  const sink = new Int32Array(32);
  // By hash of the source: 1 when its last packet was a reply. Decides only which bucket is
  // prefetched.
  const replies = new Uint8Array(SOURCES);
  const prefetchOverflow = overflowPrefetcher(table, rows, ROOM);
  const scan = rowScanner(d, rows, addresses);
  const cache = batchCache(d);
  const account = batchAccount(d, cache);
  const rewrite = rewriter(d, cache);
  const fitsInSegments = segmentCheck(d, rows);
  const both = forwardBoth(d, rows, cache, account, rewrite, fitsInSegments);
  const forwarder = fastForward(d, rows, cache, account, rewrite, both, fitsInSegments);
  const { forwardIn, forwardOut } = forwarder;
  const { forwardIn6, forwardOut6 } = fastForward6(d, rows, addresses, cache, account, rewrite, fitsInSegments);
  const { searchFrom6, search6 } = finder6(d, rows, addresses, replies);
  const openConn = connOpener(d, rows, cache, forwarder, slowPathScheduled);

  function process(device: number, batch: Batch): number {
    const { offsets, lengths, n } = batch;
    cache.invalidate();
    scan(device, offsets, lengths, n);
    const traces = d.trace?.diverts === true;
    if (traces) divert(n, d.trace!.boxes);
    chooseBuckets(n);
    prefetch(n);
    if (table.tupleIndex.size !== 0) sink[SINK] = prefetchOverflow(n);
    find(n);
    const taken = forwardAll(device, n, traces);
    account.flush();
    return taken;
  }

  /** Returns the number of the first large frame that the fast path cannot forward; `n`: none. */
  function forwardAll(device: number, n: number, traces: boolean): number {
    const { changes } = table;
    for (let i = 0; i < n; i++) {
      const row = i << ROW_SHIFT;
      if (forwardFast(device, row, changes !== table.changes)) continue;
      if (rows[row | FRAME]! >= d.umem.largeFrom) return i;
      // `divert` has seen that a trace is not about what is not marked SLOW_PATH.
      slowPath(d, device, rows[row | FRAME]!, rows[row | LENGTH]!, !traces || rows[row | KIND] === SLOW_PATH);
      cache.invalidate();
    }
    return n;
  }

  /**
   * Diverts the packets of a trace to the slow path, which traces them, and all IPv6 packets.
   * `boxes`: trace/boxes.ts, for IPv4 only. Box by box, so that its bounds stay in registers; most
   * packets fail at the first address.
   */
  function divert(n: number, boxes: Int32Array): void {
    for (let i = 0; i < n; i++)
      if (rows[(i << ROW_SHIFT) + KIND]! < SLOW_PATH) rows[(i << ROW_SHIFT) + KIND] = SLOW_PATH;
    for (let at = 0; at < boxes.length; at += BOX) {
      const source = boxes[at + 2]!;
      const sources = boxes[at + 3]! >>> 0;
      const target = boxes[at + 4]!;
      const targets = boxes[at + 5]! >>> 0;
      for (let i = 0; i < n; i++) {
        const row = i << ROW_SHIFT;
        if ((rows[row | SOURCE]! - source) >>> 0 > sources || (rows[row | TARGET]! - target) >>> 0 > targets) continue;
        if (rows[row | KIND]! > SLOW_PATH && isInBox(boxes, at, row)) rows[row | KIND] = SLOW_PATH;
      }
    }
  }

  function isInBox(boxes: Int32Array, at: number, row: number): boolean {
    const ports = rows[row | ROW_PORTS]!;
    const protocol = protocolOfKind(rows[row | KIND]!);
    return hasPortsOfBox(boxes, at, protocol, ports >>> 16, ports & 0xffff);
  }

  /** Returns false when the packet must take the slow path. `stale`: FOUND may be outdated. */
  function forwardFast(device: number, row: number, stale: boolean): boolean {
    const kind = rows[row | KIND]!;
    if (kind === SLOW_PATH) return false;
    if (kind < SLOW_PATH) return forwardFast6(row, stale);
    if (isOpening(kind)) return rows[row | FRAME]! < d.umem.largeFrom && isUnknown(row) && openConn(device, row);
    const entry = stale ? search(row) : rows[row | FOUND]!;
    return entry > 0 ? !hasSyn(kind) && forwardIn(row, entry) : entry < 0 && forwardOut(row, -entry);
  }

  function forwardFast6(row: number, stale: boolean): boolean {
    const entry = stale ? search6(row) : rows[row | FOUND]!;
    return entry > 0 ? forwardIn6(row, entry) : entry < 0 && forwardOut6(row, -entry);
  }

  /** Sets FOUND to the bucket of the client; assumes the direction of the source's last packet. */
  function chooseBuckets(n: number): void {
    for (let i = 0; i < n; i++) {
      const row = i << ROW_SHIFT;
      const kind = rows[row | KIND]!;
      if (kind === SLOW_PATH) continue;
      const ports = rows[row | ROW_PORTS]!;
      const protocol = protocolOfKind(kind);
      rows[row | FOUND] =
        replies[sourceHash(rows, row)] === 0
          ? table.bucket(protocol, rows[row | SOURCE]!, ports >>> 16)
          : table.bucket(protocol, rows[row | TARGET]!, ports & 0xffff);
    }
  }

  /** Short loops, so that the CPU has dozens of their cache misses under way at once. */
  function prefetch(n: number): void {
    for (let i = 0; i < n; i++) {
      const row = i << ROW_SHIFT;
      if (rows[row | KIND] !== SLOW_PATH) rows[row | FOUND] = buckets[rows[row | FOUND]!]!;
    }
    let lines = 0;
    for (let i = 0; i < n; i++) {
      const row = i << ROW_SHIFT;
      if (rows[row | KIND] !== SLOW_PATH) lines ^= words[rows[row | FOUND]! << ENTRY_SHIFT]!;
    }
    for (let i = 0; i < n; i++)
      if (rows[(i << ROW_SHIFT) + KIND]! < SLOW_PATH) lines ^= secondWord(words, rows[(i << ROW_SHIFT) + FOUND]!);
    sink[SINK] = lines;
  }

  function find(n: number): void {
    for (let i = 0; i < n; i++) {
      const row = i << ROW_SHIFT;
      const kind = rows[row | KIND]!;
      if (kind < SLOW_PATH) rows[row | FOUND] = searchFrom6(rows[row | FOUND]!, row);
      else if (kind !== SLOW_PATH && !isOpening(kind)) rows[row | FOUND] = searchFrom(rows[row | FOUND]!, row);
    }
  }

  /**
   * The slow path handles a SYN in an existing connection. Not part of `find`: most SYNs change the
   * table.
   */
  function isUnknown(row: number): boolean {
    return table.findIn4(ipv4.TCP, rows[row | SOURCE]!, rows[row | TARGET]!, rows[row | ROW_PORTS]!) === 0;
  }

  /**
   * As `search`; `head` is the first entry of the chain in the prefetched bucket. Most connections
   * are the first ones of their chains: the bucket is not computed again. An entry that matches is
   * in its own bucket only, so that `search` would return the same.
   */
  function searchFrom(head: number, row: number): number {
    const at = head << ENTRY_SHIFT;
    const protocol = protocolOfKind(rows[row | KIND]!);
    const source = rows[row | SOURCE]!;
    const target = rows[row | TARGET]!;
    const ports = rows[row | ROW_PORTS]!;
    if (head === 0) return search(row);
    if (replies[sourceHash(rows, row)] === 0)
      return isIn4(words, at, protocol, source, target, ports) ? head : search(row);
    if (vipCounts.mayHave(target)) return search(row);
    return isOut4(words, at, protocol, source, ports >>> 16, target, ports & 0xffff) ? 0 - head : search(row);
  }

  /** Returns the connection, negated for a reply, or 0. */
  function search(row: number): number {
    const protocol = protocolOfKind(rows[row | KIND]!);
    const source = rows[row | SOURCE]!;
    const target = rows[row | TARGET]!;
    const ports = rows[row | ROW_PORTS]!;
    const isReply = replies[sourceHash(rows, row)] !== 0 && !vipCounts.mayHave(target);
    let entry = isReply ? 0 : table.findIn4(protocol, source, target, ports);
    // Not −x: −0 is no small integer, V8 would allocate it.
    if (entry === 0) entry = 0 - table.findOut4(protocol, source, ports >>> 16, target, ports & 0xffff);
    replies[sourceHash(rows, row)] = entry < 0 ? 1 : 0;
    return entry;
  }

  return process;
}

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
import { setFlagsFromString } from 'node:v8';
import { ENTRY_SHIFT, secondWord } from '../../conntrack/entry.js';
import type { Batch } from '../../device/batch.js';
import { useLargePages } from '../../device/large-pages.js';
import type { Destination } from '../../service/destination.js';
import type { VirtualService } from '../../service/service.js';
import * as ipv4 from '../../wire/ipv4.js';
import type { Director } from '../director.js';
import { TCP_ACK, TCP_SYN } from '../parse/packet.js';
import { ways } from './cache.js';
import { carry } from './forward.js';
import { opening } from './new-conn.js';
import { crowdFetcher } from './prefetch.js';
import {
  FRAME,
  KIND,
  LENGTH,
  NOT_TCP,
  PLACE,
  SEEN_PORTS,
  SEEN_SHIFT,
  SOURCE,
  sight,
  TARGET,
  UNFIT,
  WIDE,
} from './scan.js';

/**
 * How much bytecode V8 may take into one function (its own limit is 920): a walk over a batch with all it calls. Calls of small
 * functions otherwise cost up to a third of the time.
 */
const INLINING = '--max-inlined-bytecode-size-cumulative=3000';
/** Of the sums: nobody reads it, but loads whose result goes nowhere are left out by the compiler. */
const UNREAD = 0;
const ROOM = 512;
/** Sources that are guessed to be destinations of ours. */
const GUESSES = 4096;

/** The long way of one frame. */
export type LongWay = (d: Director, device: number, frame: number, len: number) => void;
/** The long way of one frame that opens a connection, from where the scheduler has chosen. */
export type ChosenWay = (
  d: Director,
  device: number,
  frame: number,
  len: number,
  service: VirtualService,
  dest: Destination | null,
) => void;
/** All frames of `batch` (512 at most), which came in by the link `device`, in their order. */
export type Process = (device: number, batch: Batch) => void;

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
export function express(d: Director, longWay: LongWay, chosenWay: ChosenWay): Process {
  setFlagsFromString(INLINING);
  const { table, words } = d.connections;
  const { buckets, virtuals } = table;
  useLargePages(words.buffer, buckets.buffer);
  const seen = new Int32Array(ROOM << SEEN_SHIFT);
  const unread = new Int32Array(32);
  // By source: whether its last packet was a reply. It only decides which bucket is fetched early.
  const replies = new Uint8Array(GUESSES);
  const fetchCrowd = crowdFetcher(table, seen, ROOM);
  const see = sight(d, seen);
  const way = ways(d);
  const carrier = carry(d, seen, way);
  const { carryIn, carryOut, settle } = carrier;
  const opens = opening(d, seen, way, carrier, chosenWay);

  function process(device: number, batch: Batch): void {
    const { offsets, lengths, n } = batch;
    way.forget();
    see(device, offsets, lengths, n);
    aim(n);
    fetch(n);
    if (table.tuples.size !== 0) unread[UNREAD] = fetchCrowd(n);
    find(n);
    const { changes } = table;
    for (let i = 0; i < n; i++) {
      const row = i << SEEN_SHIFT;
      if (isShort(device, row, changes !== table.changes)) continue;
      longWay(d, device, seen[row + FRAME]!, seen[row + LENGTH]!);
      way.forget();
    }
    settle();
  }

  /** False: the packet must go the long way. `stale`: what `find` has found may be gone. */
  function isShort(device: number, row: number, stale: boolean): boolean {
    const kind = seen[row + KIND]!;
    if (kind === UNFIT) return false;
    if (isOpening(kind)) return isUnknown(row) && opens(device, row);
    const entry = stale ? search(row) : seen[row + PLACE]!;
    return entry > 0 ? !hasSyn(kind) && carryIn(row, entry) : entry < 0 && carryOut(row, -entry);
  }

  /** Which bucket each will be looked for in, if it is what the last packet of its source was. */
  function aim(n: number): void {
    for (let i = 0; i < n; i++) {
      const row = i << SEEN_SHIFT;
      if (seen[row + KIND]! <= UNFIT) continue;
      const ports = seen[row + SEEN_PORTS]!;
      const protocol = seen[row + KIND] === NOT_TCP ? ipv4.UDP : ipv4.TCP;
      seen[row + PLACE] =
        replies[guess(row)] === 0
          ? table.bucket(protocol, seen[row + SOURCE]!, ports >>> 16)
          : table.bucket(protocol, seen[row + TARGET]!, ports & 0xffff);
    }
  }

  function guess(row: number): number {
    return Math.imul(seen[row + SOURCE]! ^ (seen[row + SEEN_PORTS]! >>> 16), 0x9e3779b1) >>> 20;
  }

  /** Two loops so short that the processor has dozens of their cache misses under way at once. */
  function fetch(n: number): void {
    for (let i = 0; i < n; i++) {
      const row = i << SEEN_SHIFT;
      if (seen[row + KIND] !== UNFIT) seen[row + PLACE] = buckets[seen[row + PLACE]!]!;
    }
    let lines = 0;
    for (let i = 0; i < n; i++) {
      const row = i << SEEN_SHIFT;
      if (seen[row + KIND] !== UNFIT) lines ^= words[seen[row + PLACE]! << ENTRY_SHIFT]!;
    }
    for (let i = 0; i < n; i++)
      if (seen[(i << SEEN_SHIFT) + KIND] === WIDE) lines ^= secondWord(words, seen[(i << SEEN_SHIFT) + PLACE]!);
    unread[UNREAD] = lines;
  }

  function find(n: number): void {
    for (let i = 0; i < n; i++) {
      const row = i << SEEN_SHIFT;
      // It goes the long way; but its bucket was fetched, which it will ask for.
      if (seen[row + KIND] === WIDE) seen[row + KIND] = UNFIT;
      if (seen[row + KIND] !== UNFIT && !isOpening(seen[row + KIND]!)) seen[row + PLACE] = search(row);
    }
  }

  /** What a client says with SYN in a known connection is for the long way to judge. Not asked in `find`: most SYNs change the table. */
  function isUnknown(row: number): boolean {
    return table.findIn4(ipv4.TCP, seen[row + SOURCE]!, seen[row + TARGET]!, seen[row + SEEN_PORTS]!) === 0;
  }

  /** The connection, the negative one of a reply, or 0. */
  function search(row: number): number {
    const protocol = seen[row + KIND] === NOT_TCP ? ipv4.UDP : ipv4.TCP;
    const source = seen[row + SOURCE]!;
    const target = seen[row + TARGET]!;
    const ports = seen[row + SEEN_PORTS]!;
    const isReply = replies[guess(row)] !== 0 && !virtuals.mayHave(target);
    let entry = isReply ? 0 : table.findIn4(protocol, source, target, ports);
    // Not −x: of 0 that would be −0, which is no small integer and is allocated.
    if (entry === 0) entry = 0 - table.findOut4(protocol, source, ports >>> 16, target, ports & 0xffff);
    replies[guess(row)] = entry < 0 ? 1 : 0;
    return entry;
  }

  return process;
}

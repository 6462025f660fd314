/**
 * Last pass of the fast path for connections that forward.ts leaves: full NAT, which rewrites both
 * ends, and connections that a realserver opened (snat), which have no destination. IPv4 only.
 *
 *      full NAT   client's packet: source and destination of the reverse line (nat/fullnat.ts)
 *                 reply: found by its reverse line, VIP and client of the connection
 *      snat       as masq, counted for nobody
 */
import {
  CADDR,
  CONN_FULLNAT,
  CONN_OUTGOING,
  CONN_REVERSE,
  CONTROL,
  DADDR,
  DEST,
  DPORT_PROTO_STATE,
  ENTRY_SHIFT,
  FLAGS,
  METHOD_MASK,
  PACKETS,
  PORTS,
  VADDR,
} from '../../conntrack/entry.js';
import { Direction } from '../../conntrack/states.js';
import { Method } from '../../service/service.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import type { Director } from '../director.js';
import { type BatchAccount, FAST_FLAGS } from './account.js';
import { type BatchCache, HEADER } from './cache.js';
import type { Rewriter } from './rewrite.js';
import { FRAME, KIND, LENGTH, NOT_TCP, TOTAL } from './scan.js';
import type { FitsInSegments } from './whole.js';

const IP = ethernet.HEADER;
const L4 = IP + ipv4.HEADER;
/** Segments of a client that may carry the TOA option. */
const WITH_TOA = 2;
/** Instead of a destination's row: the packet is counted for nobody. */
const NOBODY = -2;

/** As in FastForward, for what it leaves. UDP datagrams without a checksum are excluded already. */
export interface ForwardBoth {
  forwardInBoth(row: number, entry: number): boolean;
  /** `mayOpen` of the reply was false. */
  forwardOutBoth(row: number, entry: number): boolean;
}

/** A closure for the same reason as `fastPath`. */
export function forwardBoth(
  d: Director,
  rows: Int32Array,
  cache: BatchCache,
  account: BatchAccount,
  rewriter: Rewriter,
  fitsInSegments: FitsInSegments,
): ForwardBoth {
  const { connections, pathMtus, router, sourcePool } = d;
  const { words } = connections;
  const { destination, neighbour } = cache;
  const { isExpired, countIn, countOut, countFrame, updateState } = account;
  const { decrementTtl, setAddress, setPort, transmit } = rewriter;

  function forwardInBoth(row: number, entry: number): boolean {
    const at = entry << ENTRY_SHIFT;
    if (!isHandled(at) || isExpired(at)) return false;
    const full = (words[at + FLAGS]! & CONN_FULLNAT) !== 0;
    if (full && sourcePool.toa && rows[row | KIND] !== NOT_TCP && words[at + PACKETS]! < WITH_TOA) return false;
    const line = full ? words[at + DADDR]! << ENTRY_SHIFT : at;
    const address = words[line + DADDR]!;
    const dest = full ? destination(words[at + DEST]!, address) : NOBODY;
    if (dest === -1 || (pathMtus.some && pathMtus.isKnown(address, d.now))) return false;
    const to = nextHop(row, router.lookup4(address, 0, 0));
    if (to < 0) return false;
    if (full) countIn(dest, rows[row | TOTAL]!);
    words[at + PACKETS]!++;
    updateState(entry, at, Direction.input, rows[row | KIND]!);
    const frame = rows[row | FRAME]!;
    const delta = setAddress(frame + IP + ipv4.DST, address);
    const more = full ? setAddress(frame + IP + ipv4.SRC, words[line + CADDR]!) : 0;
    if (full) translatePort(row, L4, words[line + PORTS]! >>> 16, 0);
    translatePort(row, L4 + 2, words[line + DPORT_PROTO_STATE]! >>> 16, delta + more);
    send(row, delta + more, to);
    if (d.sync !== undefined) d.sync.offer(entry, words[at + PACKETS]!);
    return true;
  }

  function forwardOutBoth(row: number, found: number): boolean {
    const line = found << ENTRY_SHIFT;
    const reverse = (words[line + FLAGS]! & CONN_REVERSE) !== 0;
    const entry = reverse ? words[line + CONTROL]! : found;
    const at = entry << ENTRY_SHIFT;
    if (!isHandled(at) || isExpired(at)) return false;
    const dest = reverse ? destination(words[at + DEST]!, words[line + DADDR]!) : NOBODY;
    if (dest === -1) return false;
    const to = nextHop(row, router.lookup4(words[at + CADDR]!, words[at + VADDR]!, 0));
    if (to < 0) return false;
    if (reverse) countOut(dest, rows[row | TOTAL]!);
    updateState(entry, at, Direction.output, rows[row | KIND]!);
    const frame = rows[row | FRAME]!;
    const delta = setAddress(frame + IP + ipv4.SRC, words[at + VADDR]!);
    const more = reverse ? setAddress(frame + IP + ipv4.DST, words[at + CADDR]!) : 0;
    if (reverse) translatePort(row, L4 + 2, words[at + PORTS]! >>> 16, 0);
    translatePort(row, L4, words[at + PORTS]! & 0xffff, delta + more);
    send(row, delta + more, to);
    return true;
  }

  /** Full NAT with its reverse line, or snat, and no flag that the fast path does not know. */
  function isHandled(at: number): boolean {
    const flags = words[at + FLAGS]!;
    const method = flags & METHOD_MASK;
    if ((flags & ~(FAST_FLAGS | CONN_FULLNAT | CONN_OUTGOING)) !== 0) return false;
    return (flags & CONN_FULLNAT) !== 0
      ? method === Method.fullnat && (flags & CONN_OUTGOING) === 0
      : method === Method.masq && (flags & CONN_OUTGOING) !== 0;
  }

  function nextHop(row: number, hop: number): number {
    const { mtu } = router;
    return rows[row | TOTAL]! > mtu && !fitsInSegments(row, mtu, hop) ? -1 : neighbour(hop);
  }

  function translatePort(row: number, portAt: number, port: number, delta: number): void {
    const frame = rows[row | FRAME]!;
    const isTcp = rows[row | KIND] !== NOT_TCP;
    setPort(frame + portAt, port, frame + L4 + (isTcp ? 16 : 6), delta, isTcp);
  }

  function send(row: number, delta: number, to: number): void {
    const frame = rows[row | FRAME]!;
    const length = rows[row | TOTAL]! + IP;
    decrementTtl(frame, delta);
    transmit(frame, length, to, HEADER + 3);
    countFrame(rows[row | LENGTH]!, length);
  }

  return { forwardInBoth, forwardOutBoth };
}

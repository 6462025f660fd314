/**
 * First pass of the fast path (fastpath.ts): checks the headers of a batch's frames and copies the
 * fields that later passes need into a row of eight words for each frame.
 *
 *      IPv4   [ FRAME | LENGTH | SOURCE | TARGET | ROW_PORTS | KIND | TOTAL | FOUND ]
 *      IPv6   the same; SOURCE and TARGET are folds (conntrack/match.ts)     addresses: [ source[4] | destination[4] ]
 */
import { foldWords } from '../../conntrack/match.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { isFastPathFrame, swap16, swap32 } from '../parse/aligned.js';

export const ROW_SHIFT = 3;
/** Umem offset and length of the frame. */
export const FRAME = 0;
export const LENGTH = 1;
/**
 * Addresses as in the first line of a connection: IPv4 as int32 in network byte order, IPv6 as its
 * fold.
 */
export const SOURCE = 2;
export const TARGET = 3;
/** Source port << 16 | destination port. */
export const ROW_PORTS = 4;
/** The TCP flags, NOT_TCP or SLOW_PATH. An IPv6 packet: IPV6 + its TCP flags or NOT_TCP. */
export const KIND = 5;
export const NOT_TCP = -1;
export const SLOW_PATH = -2;
/** The KIND of each IPv6 packet is below SLOW_PATH. */
export const IPV6 = -512;
/** Length of the IP packet, header included. */
export const TOTAL = 6;
/**
 * The bucket, then the first entry of its chain (both for prefetching), at last the connection:
 * negative for a reply, 0 for none.
 */
export const FOUND = 7;

const IP = ethernet.HEADER;
const L4 = IP + ipv4.HEADER;

/** Sources for which the direction of the last packet is remembered, by `sourceHash`. */
const SOURCE_BITS = 12;
export const SOURCES = 1 << SOURCE_BITS;

/** A hash of source address and port, below SOURCES. */
export function sourceHash(rows: Int32Array, row: number): number {
  return Math.imul(rows[row | SOURCE]! ^ (rows[row | ROW_PORTS]! >>> 16), 0x9e3779b1) >>> (32 - SOURCE_BITS);
}

/** The IP protocol of a row whose KIND is `kind`, which is not SLOW_PATH. */
export function protocolOfKind(kind: number): number {
  return kind === NOT_TCP || kind === IPV6 + NOT_TCP ? ipv4.UDP : ipv4.TCP;
}

/**
 * Fills the rows of the batch's first `n` frames, which the link `device` received.
 */
export type ScanRows = (device: number, offsets: Int32Array, lengths: Int32Array, n: number) => void;

/**
 * A closure for the same reason as `fastPath`. `addresses`: gets the addresses of IPv6 packets, by
 * the same index as `rows`.
 */
export function rowScanner(d: Director, rows: Int32Array, addresses: Int32Array): ScanRows {
  const { links, services } = d;
  const { i32, u16, u8, view } = d.umem;

  /**
   * Returns true for an IPv6 packet that parse.ts would accept and that the fast path can read: TCP
   * or UDP without extension headers, hop limit above 1.
   */
  function isFastIpv6(frame: number, len: number): boolean {
    if (len < IP + ipv6.HEADER + 8 || (frame & 3) !== 2) return false;
    const ip = frame + IP;
    if (u16[(frame + 12) >> 1] !== swap16(ethernet.TYPE_IPV6) || u8[ip]! >>> 4 !== 6) return false;
    const payload = view.getUint16(ip + 4);
    const next = u8[ip + ipv6.NEXT_HEADER];
    if (next === ipv4.TCP ? payload < 20 : next !== ipv4.UDP || payload < 8) return false;
    return payload <= len - IP - ipv6.HEADER && u8[ip + ipv6.HOP_LIMIT]! > 1 && u8[ip + ipv6.SRC] !== 0xff;
  }

  function scanIpv6(row: number, frame: number): void {
    const ip = frame + IP;
    rows[row | SOURCE] = copyAddress(ip + ipv6.SRC, row);
    rows[row | TARGET] = copyAddress(ip + ipv6.DST, row | 4);
    rows[row | ROW_PORTS] = view.getInt32(ip + ipv6.HEADER);
    rows[row | KIND] = IPV6 + (u8[ip + ipv6.NEXT_HEADER] === ipv4.TCP ? u8[ip + ipv6.HEADER + 13]! : NOT_TCP);
    rows[row | TOTAL] = view.getUint16(ip + 4) + ipv6.HEADER;
  }

  /** Copies the IPv6 address at offset `at` to `addresses`. Returns its fold. */
  function copyAddress(at: number, to: number): number {
    const a = view.getInt32(at);
    const b = view.getInt32(at + 4);
    const c = view.getInt32(at + 8);
    const d = view.getInt32(at + 12);
    addresses[to] = a;
    addresses[to | 1] = b;
    addresses[to | 2] = c;
    addresses[to | 3] = d;
    return foldWords(a, b, c, d);
  }

  function scan(device: number, offsets: Int32Array, lengths: Int32Array, n: number): void {
    const { mac } = links[device]!;
    const hi = swap16(mac[0]);
    const lo = swap32(mac[1] | 0);
    const takes4 = d.isAwake(4);
    const takes6 = d.isAwake(6) && !d.forwardsShared;
    for (let i = 0; i < n; i++) {
      const frame = offsets[i]!;
      const row = i << ROW_SHIFT;
      rows[row | FRAME] = frame;
      rows[row | LENGTH] = lengths[i]!;
      rows[row | KIND] = SLOW_PATH;
      if (u16[frame >> 1] !== hi || i32[(frame + 2) >> 2] !== lo) continue;
      if (!isFastPathFrame(i32, frame, lengths[i]!)) {
        if (takes6 && isFastIpv6(frame, lengths[i]!)) scanIpv6(row, frame);
        continue;
      }
      if (!takes4) continue;
      const source = view.getInt32(frame + IP + ipv4.SRC);
      if (d.forwardsShared && services.isVip4(source)) continue;
      rows[row | SOURCE] = source;
      rows[row | TARGET] = view.getInt32(frame + IP + ipv4.DST);
      rows[row | ROW_PORTS] = view.getInt32(frame + L4);
      rows[row | KIND] = u8[frame + IP + 9] === ipv4.TCP ? u8[frame + L4 + 13]! : NOT_TCP;
      rows[row | TOTAL] = view.getUint16(frame + IP + 2);
    }
  }

  return scan;
}

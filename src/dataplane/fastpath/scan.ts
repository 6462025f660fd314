/**
 * First pass of the fast path (fastpath.ts): checks the headers of a batch's frames and copies the
 * fields that later passes need into a row of eight words for each frame.
 *
 *      IPv4   [ FRAME | LENGTH | SOURCE | TARGET | ROW_PORTS | KIND | TOTAL | FOUND ]
 *      IPv6   [ FRAME | LENGTH | KIND6  | FOLDS  | ROW_PORTS | IPV6 | TOTAL | FOUND ]     addresses: [ source[4] | destination[4] ]
 */
import { fold } from '../../conntrack/match.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { isFastPathFrame, swap16, swap32 } from '../parse/aligned.js';

export const ROW_SHIFT = 3;
/** Umem offset and length of the frame. */
export const FRAME = 0;
export const LENGTH = 1;
/** IPv4 addresses as in the connection table: int32 in network byte order. */
export const SOURCE = 2;
export const TARGET = 3;
/** Source port << 16 | destination port. */
export const ROW_PORTS = 4;
/** The TCP flags, or one of the three negative values. */
export const KIND = 5;
export const NOT_TCP = -1;
export const SLOW_PATH = -2;
/** An IPv6 packet: KIND6 has what KIND has for IPv4. */
export const IPV6 = -3;
/** The folds of both addresses (conntrack/match.ts), combined by XOR: a hash of the flow. */
export const KIND6 = 2;
export const FOLDS = 3;
/** Length of the IP packet, header included. */
export const TOTAL = 6;
/**
 * The bucket, then the first entry of its chain (both for prefetching), at last the connection:
 * negative for a reply, 0 for none.
 */
export const FOUND = 7;

const IP = ethernet.HEADER;
const L4 = IP + ipv4.HEADER;

/**
 * Fills the rows of the batch's first `n` frames, which the link `device` received. FOUND of an
 * IPv6 row stays undefined.
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
    for (let i = 0; i < 8; i++) addresses[row + i] = view.getInt32(ip + ipv6.SRC + 4 * i);
    rows[row | KIND6] = u8[ip + ipv6.NEXT_HEADER] === ipv4.TCP ? u8[ip + ipv6.HEADER + 13]! : NOT_TCP;
    rows[row | FOLDS] = fold(addresses, row) ^ fold(addresses, row + 4);
    rows[row | ROW_PORTS] = view.getInt32(ip + ipv6.HEADER);
    rows[row | KIND] = IPV6;
    rows[row | TOTAL] = view.getUint16(ip + 4) + ipv6.HEADER;
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

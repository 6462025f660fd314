/**
 * First pass of the fast path (fastpath.ts): checks the headers of a batch's frames and copies the
 * fields that later passes need into a row of eight words for each frame.
 *
 *      [ FRAME | LENGTH | SOURCE | TARGET | ROW_PORTS | KIND | TOTAL | FOUND ]
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
/** IPv6: takes the slow path, but its bucket and entry are prefetched with the batch. */
export const IPV6 = -3;
/** Length of the IP packet, header included. */
export const TOTAL = 6;
/**
 * The bucket, then the first entry of its chain (both for prefetching), at last the connection:
 * negative for a reply, 0 for none.
 */
export const FOUND = 7;

const IP = ethernet.HEADER;
const L4 = IP + ipv4.HEADER;

/** Fills the rows of the batch's first `n` frames, which the link `device` received. */
export type ScanRows = (device: number, offsets: Int32Array, lengths: Int32Array, n: number) => void;

/** A closure for the same reason as `fastPath`. */
export function rowScanner(d: Director, rows: Int32Array): ScanRows {
  const { links, services } = d;
  const { table } = d.connections;
  const { i32, u16, u8 } = d.umem;
  // Source and destination of an IPv6 packet. V8 keeps arrays as long as this one off its heap.
  const addresses = new Int32Array(32);

  function isIpv6(frame: number, len: number): boolean {
    if (len < IP + ipv6.HEADER + 8 || (frame & 3) !== 2) return false;
    const next = u8[frame + IP + 6];
    return u16[(frame + 12) >> 1] === swap16(ethernet.TYPE_IPV6) && (next === ipv4.TCP || next === ipv4.UDP);
  }

  /** Sets KIND, and FOUND to the bucket of the packet's client. */
  function scanIpv6(row: number, frame: number): void {
    for (let i = 0; i < 8; i++) addresses[i] = swap32(i32[((frame + IP + ipv6.SRC) >> 2) + i]!);
    const protocol = u8[frame + IP + 6]!;
    const ports = swap32(i32[(frame + IP + ipv6.HEADER) >> 2]!);
    const sport = ports >>> 16;
    rows[row + KIND] = IPV6;
    rows[row + FOUND] =
      d.masqSources.find(addresses[0]!, addresses[1]!, addresses[2]!, addresses[3]!, protocol, sport) >= 0
        ? table.bucket(protocol, fold(addresses, 4), ports & 0xffff)
        : table.bucket(protocol, fold(addresses, 0), sport);
  }

  return (device, offsets, lengths, n) => {
    const { mac } = links[device]!;
    const hi = swap16(mac[0]);
    const lo = swap32(mac[1] | 0);
    for (let i = 0; i < n; i++) {
      const frame = offsets[i]!;
      const row = i << ROW_SHIFT;
      rows[row + FRAME] = frame;
      rows[row + LENGTH] = lengths[i]!;
      rows[row + KIND] = SLOW_PATH;
      if (u16[frame >> 1] !== hi || i32[(frame + 2) >> 2] !== lo) continue;
      if (!isFastPathFrame(i32, frame, lengths[i]!)) {
        if (isIpv6(frame, lengths[i]!)) scanIpv6(row, frame);
        continue;
      }
      const source = swap32(i32[(frame + IP + ipv4.SRC) >> 2]!);
      if (d.forwardsShared && services.isVip4(source)) continue;
      rows[row + SOURCE] = source;
      rows[row + TARGET] = swap32(i32[(frame + IP + ipv4.DST) >> 2]!);
      rows[row + ROW_PORTS] = swap32(i32[(frame + L4) >> 2]!);
      rows[row + KIND] = u8[frame + IP + 9] === ipv4.TCP ? u8[frame + L4 + 13]! : NOT_TCP;
      rows[row + TOTAL] = swap16(u16[(frame + IP + 2) >> 1]!);
    }
  };
}

/**
 * The first walk of the short way (fastpath.ts): which frames of a batch are sound, and what all later walks ask of them, read
 * once. A row of eight words each:
 *
 *     [ frame | length | source | destination | ports | TCP flags | packet's length | where it is found ]
 */
import { fold } from '../../conntrack/match.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { isFastPathFrame, swap16, swap32 } from '../parse/aligned.js';

export const ROW_SHIFT = 3;
export const FRAME = 0;
export const LENGTH = 1;
/** Addresses as the connection table has them; source port << 16 | destination port. */
export const SOURCE = 2;
export const TARGET = 3;
export const ROW_PORTS = 4;
/** The TCP flags, or one of these three. */
export const KIND = 5;
export const NOT_TCP = -1;
export const SLOW_PATH = -2;
/** IPv6: goes the long way, but what that will look for is fetched with the batch. */
export const WIDE = -3;
/** Length of the IP packet. */
export const TOTAL = 6;
/** The connection, the negative one of a reply, or 0; before, whatever leads there. */
export const FOUND = 7;

const IP = ethernet.HEADER;
const L4 = IP + ipv4.HEADER;

/** Fills the rows of a batch's first `n` frames, which came in by the link `device`. */
export type ScanRows = (device: number, offsets: Int32Array, lengths: Int32Array, n: number) => void;

/** A function for the same reason as `express`. */
export function rowScanner(d: Director, rows: Int32Array): ScanRows {
  const { links, services } = d;
  const { table } = d.connections;
  const { i32, u16, u8 } = d.umem;
  // Source and destination of an IPv6 packet; longer than that, so that V8 keeps it off its heap.
  const wide = new Int32Array(32);

  function isWide(frame: number, len: number): boolean {
    if (len < IP + ipv6.HEADER + 8 || (frame & 3) !== 2) return false;
    const next = u8[frame + IP + 6];
    return u16[(frame + 12) >> 1] === swap16(ethernet.TYPE_IPV6) && (next === ipv4.TCP || next === ipv4.UDP);
  }

  /** KIND and PLACE, the bucket of its client. */
  function scanWide(row: number, frame: number): void {
    for (let i = 0; i < 8; i++) wide[i] = swap32(i32[((frame + IP + ipv6.SRC) >> 2) + i]!);
    const protocol = u8[frame + IP + 6]!;
    const ports = swap32(i32[(frame + IP + ipv6.HEADER) >> 2]!);
    const sport = ports >>> 16;
    rows[row + KIND] = WIDE;
    rows[row + FOUND] =
      d.masqSources.find(wide[0]!, wide[1]!, wide[2]!, wide[3]!, protocol, sport) >= 0
        ? table.bucket(protocol, fold(wide, 4), ports & 0xffff)
        : table.bucket(protocol, fold(wide, 0), sport);
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
        if (isWide(frame, lengths[i]!)) scanWide(row, frame);
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

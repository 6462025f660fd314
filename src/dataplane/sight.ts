/**
 * The first walk of the short way (express.ts): which frames of a batch are sound, and what all later walks ask of them, read
 * once. A row of eight words each:
 *
 *     [ frame | length | source | destination | ports | TCP flags | packet's length | where it is found ]
 */
import * as ethernet from '../wire/ethernet.js';
import * as ipv4 from '../wire/ipv4.js';
import type { Director } from './director.js';
import { isPlain, swap16, swap32 } from './plain.js';

export const SEEN_SHIFT = 3;
export const FRAME = 0;
export const LENGTH = 1;
/** Addresses as the connection table has them; source port << 16 | destination port. */
export const SOURCE = 2;
export const TARGET = 3;
export const SEEN_PORTS = 4;
/** The TCP flags, or one of these two. */
export const KIND = 5;
export const NOT_TCP = -1;
export const UNFIT = -2;
/** Length of the IP packet. */
export const TOTAL = 6;
/** The connection, the negative one of a reply, or 0; before, whatever leads there. */
export const PLACE = 7;

const IP = ethernet.HEADER;
const L4 = IP + ipv4.HEADER;

/** Fills the rows of a batch's first `n` frames, which came in by the link `device`. */
export type Sight = (device: number, offsets: Int32Array, lengths: Int32Array, n: number) => void;

/** A function for the same reason as `express`. */
export function sight(d: Director, seen: Int32Array): Sight {
  const { links, services } = d;
  const { i32, u16, u8 } = d.umem;

  return (device, offsets, lengths, n) => {
    const { mac } = links[device]!;
    const hi = swap16(mac[0]);
    const lo = swap32(mac[1] | 0);
    for (let i = 0; i < n; i++) {
      const frame = offsets[i]!;
      const row = i << SEEN_SHIFT;
      seen[row + FRAME] = frame;
      seen[row + LENGTH] = lengths[i]!;
      seen[row + KIND] = UNFIT;
      if (!isPlain(i32, frame, lengths[i]!) || u16[frame >> 1] !== hi || i32[(frame + 2) >> 2] !== lo) continue;
      const source = swap32(i32[(frame + IP + ipv4.SRC) >> 2]!);
      if (d.forwardsShared && services.isVip4(source)) continue;
      seen[row + SOURCE] = source;
      seen[row + TARGET] = swap32(i32[(frame + IP + ipv4.DST) >> 2]!);
      seen[row + SEEN_PORTS] = swap32(i32[(frame + L4) >> 2]!);
      seen[row + KIND] = u8[frame + IP + 9] === ipv4.TCP ? u8[frame + L4 + 13]! : NOT_TCP;
      seen[row + TOTAL] = swap16(u16[(frame + IP + 2) >> 1]!);
    }
  };
}

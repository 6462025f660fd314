/**
 * May a packet leave that is longer than the MTU? A GSO packet in a large frame
 * (device/large-frames.ts): when its link takes such packets and each of its segments is not longer
 * than the MTU (the kernel's skb_gso_validate_network_len). A large frame is longer than any MTU.
 *
 *     | IP | TCP | gso size |  ≤ MTU        the packet itself: | IP | TCP | ………… |  ≤ 64 KiB
 */
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import * as tcp from '../../wire/tcp.js';
import * as udp from '../../wire/udp.js';
import type { Director } from '../director.js';
import { FRAME } from './scan.js';

/** The hop of a packet that gets another header: only an ordinary frame can. */
export const TUNNELLED = -1;
const IP = ethernet.HEADER;

/**
 * Returns true when the packet of `row`, which is longer than `mtu`, may leave whole. `hop`: its
 * neighbour, or TUNNELLED.
 */
export type FitsInSegments = (row: number, mtu: number, hop: number) => boolean;

/** A closure for the same reason as `fastPath`. */
export function segmentCheck(d: Director, rows: Int32Array): FitsInSegments {
  const { links, neighbours, umem } = d;
  const { largeFrom, large, u8, view } = umem;

  return (row, mtu, hop) => {
    const frame = rows[row | FRAME]!;
    if (frame < largeFrom || hop < 0 || !links[neighbours.all[hop]!.device]!.takesGso) return false;
    const isV4 = u8[frame + IP]! >> 4 === 4;
    const l4 = IP + (isV4 ? ipv4.HEADER : ipv6.HEADER);
    const protocol = isV4 ? ipv4.protocol(view, frame + IP) : ipv6.nextHeader(view, frame + IP);
    const header = protocol === ipv4.TCP ? tcp.headerLen(view, frame + l4) : udp.HEADER;
    return l4 - IP + header + large.gsoSize(frame) <= mtu;
  };
}

/** TCP segments that the director makes itself: a header without options and payload. */
import { finish, pseudo4, pseudo6, sum } from '../../wire/checksum.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';

/** One record, filled for each segment; IPv4 addresses as int32, IPv6 as four words. */
export class Segment {
  family = 4;
  src = 0;
  dst = 0;
  readonly src6 = new Int32Array(4);
  readonly dst6 = new Int32Array(4);
  sport = 0;
  dport = 0;
  seq = 0;
  ack = 0;
  flags = 0;
}

const TCP_LENGTH = 20;

/** Length of the frame of such a segment. */
export function segmentLength({ family }: Segment): number {
  return ethernet.HEADER + (family === 4 ? ipv4.HEADER : ipv6.HEADER) + TCP_LENGTH;
}

/**
 * Writes the segment into a new frame, whose Ethernet header has the type only. Returns the frame,
 * −1 when none is free.
 */
export function writeSegment(d: Director, s: Segment): number {
  const frame = d.umem.alloc();
  if (frame < 0) return -1;
  const { view } = d.umem;
  const ip = frame + ethernet.HEADER;
  const l4 = ip + writeHeader(view, ip, s);
  ethernet.setType(view, frame, s.family === 4 ? ethernet.TYPE_IPV4 : ethernet.TYPE_IPV6);
  view.setUint16(l4, s.sport);
  view.setUint16(l4 + 2, s.dport);
  view.setInt32(l4 + 4, s.seq);
  view.setInt32(l4 + 8, s.ack);
  view.setUint16(l4 + 12, 0x5000 | s.flags);
  view.setInt32(l4 + 14, 0);
  view.setUint16(l4 + 18, 0);
  const pseudo =
    s.family === 4
      ? pseudo4(s.src, s.dst, ipv4.TCP, TCP_LENGTH)
      : pseudo6(view, ip + ipv6.SRC, ip + ipv6.DST, ipv4.TCP, TCP_LENGTH);
  view.setUint16(l4 + 16, finish(sum(view, l4, TCP_LENGTH, pseudo)));
  return frame;
}

/** Writes the IP header. Returns its length. */
function writeHeader(view: DataView, ip: number, s: Segment): number {
  if (s.family === 6) {
    ipv6.setTrafficClass(view, ip, 0, 0);
    ipv6.setPayloadLen(view, ip, TCP_LENGTH);
    ipv6.setNextHeader(view, ip, ipv4.TCP);
    ipv6.setHopLimit(view, ip, 64);
    ipv6.rewriteSrc(view, ip, s.src6);
    ipv6.rewriteDst(view, ip, s.dst6);
    return ipv6.HEADER;
  }
  view.setUint16(ip, 0x4500);
  ipv4.setTotalLen(view, ip, ipv4.HEADER + TCP_LENGTH);
  ipv4.setId(view, ip, 0);
  ipv4.setFragment(view, ip, 0, false, true);
  ipv4.setTtl(view, ip, 64);
  ipv4.setProtocol(view, ip, ipv4.TCP);
  ipv4.setSrc(view, ip, s.src);
  ipv4.setDst(view, ip, s.dst);
  ipv4.fillChecksum(view, ip);
  return ipv4.HEADER;
}

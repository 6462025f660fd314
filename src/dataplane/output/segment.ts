/** TCP segments that the director makes itself: headers, options of a handshake, no payload. */
import {
  CADDR,
  CONN_IPV6,
  DADDR,
  ENTRY_SHIFT,
  FLAGS,
  PORTS,
  VADDR,
  WIDE_CADDR,
  WIDE_VADDR,
} from '../../conntrack/entry.js';
import { copyWords } from '../../wire/address.js';
import { finish, pseudo4, pseudo6, sum } from '../../wire/checksum.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import { SynOptions } from '../../wire/syn-options.js';
import * as tcp from '../../wire/tcp.js';
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
  window = 0;
  readonly options = new SynOptions();
  /** Bytes of the TCP header, once the segment is written. */
  headerLen = tcp.HEADER;
}

/** Fills in the addresses and ports between client and virtual address. */
export function fillEnds(d: Director, s: Segment, entry: number, fromClient: boolean): void {
  const at = entry << ENTRY_SHIFT;
  const { words } = d.connections;
  const ports = words[at + PORTS]!;
  s.family = (words[at + FLAGS]! & CONN_IPV6) === 0 ? 4 : 6;
  if (s.family === 4) {
    s.src = words[at + (fromClient ? CADDR : VADDR)]!;
    s.dst = words[at + (fromClient ? VADDR : CADDR)]!;
  } else {
    const wide = words[at + DADDR]! << ENTRY_SHIFT;
    copyWords(words, wide + WIDE_CADDR, fromClient ? s.src6 : s.dst6);
    copyWords(words, wide + WIDE_VADDR, fromClient ? s.dst6 : s.src6);
  }
  s.sport = fromClient ? ports >>> 16 : ports & 0xffff;
  s.dport = fromClient ? ports & 0xffff : ports >>> 16;
}

/** Fills in the addresses and ports of the current packet; turned round, the segment answers it. */
export function fillEndsOfPacket({ packet: p }: Director, s: Segment, turned: boolean): void {
  s.family = p.family;
  s.src = turned ? p.dst : p.src;
  s.dst = turned ? p.src : p.dst;
  if (p.family === 6) {
    copyWords(p.src6, 0, turned ? s.dst6 : s.src6);
    copyWords(p.dst6, 0, turned ? s.src6 : s.dst6);
  }
  s.sport = turned ? p.dport : p.sport;
  s.dport = turned ? p.sport : p.dport;
}

/** Length of the frame of a segment that was written. */
export function segmentLength({ family, headerLen }: Segment): number {
  return ethernet.HEADER + (family === 4 ? ipv4.HEADER : ipv6.HEADER) + headerLen;
}

/** Writes the segment into a new frame, as writeSegmentAt. Returns it, −1 when none is free. */
export function writeSegment(d: Director, s: Segment): number {
  const frame = d.umem.alloc();
  if (frame >= 0) writeSegmentAt(d, s, frame);
  return frame;
}

/** Writes the segment into a frame, whose Ethernet header has the type only. */
export function writeSegmentAt(d: Director, s: Segment, frame: number): void {
  const { view } = d.umem;
  const ip = frame + ethernet.HEADER;
  const l4 = ip + (s.family === 4 ? ipv4.HEADER : ipv6.HEADER);
  s.headerLen = tcp.HEADER + s.options.write(view, l4 + tcp.HEADER);
  writeHeader(view, ip, s);
  ethernet.setType(view, frame, s.family === 4 ? ethernet.TYPE_IPV4 : ethernet.TYPE_IPV6);
  view.setUint16(l4, s.sport);
  view.setUint16(l4 + 2, s.dport);
  view.setInt32(l4 + 4, s.seq);
  view.setInt32(l4 + 8, s.ack);
  view.setUint16(l4 + 12, (s.headerLen << 10) | s.flags);
  view.setUint16(l4 + 14, s.window);
  view.setInt32(l4 + 16, 0);
  const pseudo =
    s.family === 4
      ? pseudo4(s.src, s.dst, ipv4.TCP, s.headerLen)
      : pseudo6(view, ip + ipv6.SRC, ip + ipv6.DST, ipv4.TCP, s.headerLen);
  view.setUint16(l4 + 16, finish(sum(view, l4, s.headerLen, pseudo)));
}

function writeHeader(view: DataView, ip: number, s: Segment): void {
  if (s.family === 6) {
    ipv6.setTrafficClass(view, ip, 0, 0);
    ipv6.setPayloadLen(view, ip, s.headerLen);
    ipv6.setNextHeader(view, ip, ipv4.TCP);
    ipv6.setHopLimit(view, ip, 64);
    ipv6.rewriteSrc(view, ip, s.src6);
    ipv6.rewriteDst(view, ip, s.dst6);
    return;
  }
  view.setUint16(ip, 0x4500);
  ipv4.setTotalLen(view, ip, ipv4.HEADER + s.headerLen);
  ipv4.setId(view, ip, 0);
  ipv4.setFragment(view, ip, 0, false, true);
  ipv4.setTtl(view, ip, 64);
  ipv4.setProtocol(view, ip, ipv4.TCP);
  ipv4.setSrc(view, ip, s.src);
  ipv4.setDst(view, ip, s.dst);
  ipv4.fillChecksum(view, ip);
}

/**
 * Resets a TCP connection on both sides. A RST must have the sequence number that its receiver
 * expects (RFC 5961), and the director follows no sequence numbers. So it asks: a segment with
 * numbers of no meaning makes an end send its own (RFC 9293, 3.10.7.4). That answer has both.
 *
 *     client ◄─ ACK, any numbers ─ director ─ ACK, any numbers ─► destination
 *     client ── ACK, seq a, ack b ─► director         RST, seq b ─► client        RST, seq a ─► destination
 *
 * One answer is enough. Of DR and tunnel connections only the client's is seen. Without an answer
 * within 3 s the connection ends silently.
 */
import {
  CADDR,
  CONN_IPV6,
  CONN_RESET,
  DADDR,
  ENTRY_SHIFT,
  FLAGS,
  PORTS,
  TICKS,
  VADDR,
  WIDE_CADDR,
  WIDE_VADDR,
} from '../../conntrack/entry.js';
import { tcpActive } from '../../conntrack/tcp.js';
import { FrameStat } from '../../stats/counters.js';
import type { FinalVerdict } from '../../stats/verdict.js';
import { copyWords } from '../../wire/address.js';
import { finish, pseudo4, pseudo6, sum } from '../../wire/checksum.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import { countIn } from '../account.js';
import type { Director } from '../director.js';
import { reset } from '../host/tcp-reset.js';
import { neighbourOutput } from '../output/neighbour-output.js';
import { Segment, segmentLength, writeSegment } from '../output/segment.js';
import { TCP_ACK, TCP_RST } from '../parse/packet.js';
import { parse } from '../parse/parse.js';
import { xmit } from '../xmit/xmit.js';

/** Time for an answer, in ticks. */
const PATIENCE = 3 * TICKS;
const TCP_LENGTH = 20;

const segment = new Segment();

/** Begins to reset a connection, or removes one that has ended. Call it between packets only. */
export function startReset(d: Director, entry: number): void {
  const { connections } = d;
  if ((connections.flagsOf(entry) & CONN_RESET) !== 0) return;
  if (!tcpActive(connections.stateOf(entry))) return connections.remove(entry);
  connections.words[(entry << ENTRY_SHIFT) + FLAGS]! |= CONN_RESET;
  connections.setTimeout(entry, PATIENCE);
  connections.touch(entry);
  askClient(d, entry);
  askDestination(d, entry);
}

export function isBeingReset(d: Director, entry: number): boolean {
  return (d.connections.flagsOf(entry) & CONN_RESET) !== 0 && d.packet.protocol === ipv4.TCP;
}

/** A packet of the client has the numbers: both sides are reset. */
export function resetByClient(d: Director, entry: number): FinalVerdict {
  countIn(d, entry);
  answerByReset(d);
  const verdict = xmit(d, entry);
  d.connections.remove(entry);
  return verdict;
}

/** Answers the current packet by a RST and makes a RST of itself, which the caller sends on. */
export function answerByReset(d: Director): void {
  reset(d);
  makeReset(d);
}

function askClient(d: Director, entry: number): void {
  fillSegment(d, entry, false);
  const s = segment;
  const hop = s.family === 4 ? d.router.lookup4(s.dst, s.src, 0) : d.router.lookup6(s.dst6, s.src6, 0);
  const frame = hop < 0 ? -1 : writeSegment(d, s);
  if (frame >= 0) neighbourOutput(d, hop, frame, segmentLength(s), ethernet.type(d.umem.view, frame), true);
}

/** As if the client had sent it: by the connection's method. It counts as a received frame. */
function askDestination(d: Director, entry: number): void {
  fillSegment(d, entry, true);
  const frame = writeSegment(d, segment);
  if (frame < 0) return;
  const length = segmentLength(segment);
  d.counters.values[FrameStat.in]!++;
  d.counters.values[FrameStat.inBytes]! += length;
  d.packet.device = 0;
  parse(d.umem.view, frame, length, d.packet);
  xmit(d, entry);
}

/** A segment between client and virtual address. */
function fillSegment(d: Director, entry: number, fromClient: boolean): void {
  const at = entry << ENTRY_SHIFT;
  const { words } = d.connections;
  const s = segment;
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
  s.seq = d.random.next() | 0;
  s.ack = d.random.next() | 0;
  s.flags = TCP_ACK;
}

/** Makes a RST of the current packet: no payload, no options, its sequence number. */
function makeReset(d: Director): void {
  const p = d.packet;
  const { view } = d.umem;
  const cut = p.l4len - TCP_LENGTH;
  p.l4len = TCP_LENGTH;
  p.l3len -= cut;
  p.len -= cut;
  p.tcpFlags = TCP_RST;
  view.setInt32(p.l4 + 8, 0);
  view.setUint16(p.l4 + 12, 0x5000 | TCP_RST);
  view.setInt32(p.l4 + 14, 0);
  view.setUint16(p.l4 + 18, 0);
  if (p.family === 4) {
    ipv4.setTotalLen(view, p.l3, p.l3len);
    ipv4.fillChecksum(view, p.l3);
  } else ipv6.setPayloadLen(view, p.l3, p.l3len - ipv6.HEADER);
  const pseudo =
    p.family === 4
      ? pseudo4(p.src, p.dst, ipv4.TCP, TCP_LENGTH)
      : pseudo6(view, p.l3 + ipv6.SRC, p.l3 + ipv6.DST, ipv4.TCP, TCP_LENGTH);
  view.setUint16(p.l4 + 16, finish(sum(view, p.l4, TCP_LENGTH, pseudo)));
}

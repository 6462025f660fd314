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
import { CONN_RESET, ENTRY_SHIFT, FLAGS, TICKS } from '../../conntrack/entry.js';
import { tcpActive } from '../../conntrack/tcp.js';
import type { FinalVerdict } from '../../stats/verdict.js';
import { finish, pseudo4, pseudo6, sum } from '../../wire/checksum.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import { countIn } from '../account.js';
import type { Director } from '../director.js';
import { reset } from '../host/tcp-reset.js';
import { fillEnds, Segment } from '../output/segment.js';
import { TCP_ACK, TCP_RST } from '../parse/packet.js';
import { xmit } from '../xmit/xmit.js';
import { receiveFromClient, sendToClient } from './own-segment.js';

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
  connections.table.seal(entry);
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
  sendToClient(d, segment);
}

/** By the connection's method. */
function askDestination(d: Director, entry: number): void {
  fillSegment(d, entry, true);
  if (receiveFromClient(d, segment)) xmit(d, entry);
}

function fillSegment(d: Director, entry: number, fromClient: boolean): void {
  fillEnds(d, segment, entry, fromClient);
  segment.seq = d.random.next() | 0;
  segment.ack = d.random.next() | 0;
  segment.flags = TCP_ACK;
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

/**
 * The SYN proxy, destination's side. The connection waits until the destination answers. Then its
 * sequence numbers are shifted (nat/shift.ts). The client had window 0 until then; now it may send.
 *
 *     client ── ACK (cookie) ─► director ── SYN ────────────────► destination     synproxy/open.ts
 *                               director ── SYN ────────────────► destination     again after 1, 3, 7, 15, 31 s
 *     client ◄─ ACK, window ─── director ◄─ SYN,ACK ───────────── destination
 *                               director ── ACK ────────────────► destination
 *
 *     client ◄─ RST ─────────── director ◄─ RST, or no answer in 63 s
 */
import { CONN_ANSWERED, CONN_SYNPROXY, ENTRY_SHIFT, FLAGS, PACKETS, TICKS, TIMEOUT } from '../../conntrack/entry.js';
import { Asked, type SeqAdj } from '../../conntrack/seqadj.js';
import { Direction } from '../../conntrack/states.js';
import { SynOptions } from '../../wire/syn-options.js';
import * as tcp from '../../wire/tcp.js';
import { countIn, setState } from '../account.js';
import type { Director } from '../director.js';
import { reset } from '../host/tcp-reset.js';
import { fillEnds, fillEndsOfPacket, Segment, segmentLength, writeSegmentAt } from '../output/segment.js';
import { TCP_ACK, TCP_RST, TCP_SYN } from '../parse/packet.js';
import { parse } from '../parse/parse.js';
import { ANNOUNCED_SCALE, readOffers } from '../synproxy/answer.js';
import { fillAsked } from '../synproxy/open.js';
import { xmit } from '../xmit/xmit.js';
import { receiveFromClient, sendToClient } from './own-segment.js';

/** Time for the first answer, and for the last one, in ticks. */
export const FIRST_WAIT = 1 * TICKS;
const LAST_WAIT = 32 * TICKS;

const acknowledgement = new Segment();
const segment = new Segment();
const refusal = new Segment();
const options = new SynOptions();

/** The SYN proxy has opened the connection, and its destination has not answered. */
export function isAwaiting(d: Director, entry: number): boolean {
  return (d.connections.flagsOf(entry) & (CONN_SYNPROXY | CONN_ANSWERED)) === CONN_SYNPROXY;
}

/** What `takeAnswer` has done. */
export const Answer = { none: 0, refusal: 1, open: 2 } as const;

/**
 * Takes a packet of a destination that the connection awaits. A SYN,ACK becomes the acknowledgement
 * that the client gets, a RST gets the client's numbers by the shift: the packet goes on as a
 * reply. None: the destination has an old connection of these ports, and gets a RST (RFC 9293,
 * 3.10.7.3).
 */
export function takeAnswer(d: Director, entry: number): (typeof Answer)[keyof typeof Answer] {
  const p = d.packet;
  const { view } = d.umem;
  const seqAdj = d.connections.seqAdjOf(entry);
  const isRst = (p.tcpFlags & TCP_RST) !== 0;
  if (!isRst && !isSynAck(d, seqAdj)) {
    reset(d);
    return Answer.none;
  }
  d.connections.words[(entry << ENTRY_SHIFT) + FLAGS]! |= CONN_ANSWERED;
  if (isRst) {
    seqAdj.splice((seqAdj.noted(Asked.ack) - tcp.seq(view, p.l4)) | 0, 0, 0);
    return Answer.refusal;
  }
  fillAsked(d, acknowledgement, entry, false);
  splice(d, seqAdj);
  becomeAck(d);
  return Answer.open;
}

function isSynAck(d: Director, seqAdj: SeqAdj): boolean {
  const { l4, parts, tcpFlags } = d.packet;
  if (parts !== 0 || (tcpFlags & (TCP_SYN | TCP_ACK)) !== (TCP_SYN | TCP_ACK)) return false;
  return tcp.ack(d.umem.view, l4) === seqAdj.noted(Asked.seq);
}

/** The current packet is the SYN,ACK. */
function splice(d: Director, seqAdj: SeqAdj): void {
  const { l4, l4len } = d.packet;
  const { view } = d.umem;
  options.read(view, l4 + tcp.HEADER, l4 + Math.min(tcp.headerLen(view, l4), l4len));
  const sequence = (seqAdj.noted(Asked.ack) - 1 - tcp.seq(view, l4)) | 0;
  const timestamp = options.hasTimestamps ? (seqAdj.noted(Asked.echo) - options.timestamp) | 0 : 0;
  // Where the client offered no scale, neither side has one.
  readOffers(acknowledgement.options);
  const isScaled = acknowledgement.options.windowScale >= 0;
  acknowledgement.options.clearAgreed();
  seqAdj.splice(sequence, timestamp, isScaled ? Math.max(options.windowScale, 0) - ANNOUNCED_SCALE : 0);
}

/** Makes the acknowledgement of the current packet, a SYN,ACK, which the destination would send. */
function becomeAck(d: Director): void {
  const p = d.packet;
  const { view } = d.umem;
  const s = segment;
  fillEndsOfPacket(d, s, false);
  s.seq = (tcp.seq(view, p.l4) + 1) | 0;
  s.ack = tcp.ack(view, p.l4);
  s.flags = tcp.ACK;
  s.window = tcp.window(view, p.l4) >>> Math.max(options.windowScale, 0);
  s.options.hasTimestamps = options.hasTimestamps;
  s.options.timestamp = options.timestamp;
  s.options.echo = options.echo;
  d.traced?.note('SYN proxy: the destination has answered');
  const { mark } = p;
  writeSegmentAt(d, s, p.frame);
  parse(view, p.frame, segmentLength(s), p);
  p.mark = mark;
  // For the state of the connection it is what came.
  p.tcpFlags = TCP_SYN | TCP_ACK;
}

/** Sends the client's acknowledgement to the destination, after `takeAnswer` and the reply. */
export function acknowledge(d: Director, entry: number): void {
  if (!receiveFromClient(d, acknowledgement)) return;
  const { connections } = d;
  countIn(d, entry);
  setState(d, entry, Direction.input);
  connections.countPacket(entry);
  connections.touch(entry);
  xmit(d, entry);
  if (d.sync !== undefined) d.sync.offer(entry, connections.words[(entry << ENTRY_SHIFT) + PACKETS]!);
}

/**
 * The destination has not answered in time: sends the SYN again. Returns false when that was the
 * last time; then the client gets a RST. Call it between packets only.
 */
export function askAgain(d: Director, entry: number): boolean {
  const { connections } = d;
  const wait = connections.words[(entry << ENTRY_SHIFT) + TIMEOUT]!;
  if (wait >= LAST_WAIT) {
    refuseClient(d, entry);
    return false;
  }
  // Counted for passive health checks, as a SYN that the client repeats.
  connections.states.tcp(entry, Direction.input, TCP_SYN);
  connections.endIn(entry, wait * 2);
  fillAsked(d, segment, entry, true);
  if (receiveFromClient(d, segment)) xmit(d, entry);
  segment.options.clearAgreed();
  return true;
}

function refuseClient(d: Director, entry: number): void {
  fillEnds(d, refusal, entry, false);
  refusal.seq = d.connections.seqAdjOf(entry).noted(Asked.ack);
  refusal.flags = TCP_RST;
  sendToClient(d, refusal);
}

/** A TCP segment whose payload a helper reads and changes: payload, checksum, sequence numbers. */
import type { SequenceShift } from '../../conntrack/seqadj.js';
import { delta32, fold, pseudo4, pseudo6 } from '../../wire/checksum.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import * as options from '../../wire/options.js';
import * as tcp from '../../wire/tcp.js';
import type { Director } from '../director.js';

const LONGEST = 65535;

export function isIntact(d: Director): boolean {
  const p = d.packet;
  return tcp.isChecksumGood(d.umem.view, p.l4, p.l4len, pseudo(d));
}

/** Absolute offset of the payload, 0 without one. */
export function payloadAt(d: Director): number {
  const p = d.packet;
  const header = tcp.headerLen(d.umem.view, p.l4);
  return header < tcp.HEADER || header >= p.l4len ? 0 : p.l4 + header;
}

/**
 * Replaces `length` bytes at the offset `at` by `text` (ASCII), and corrects lengths and checksums.
 * Returns false when the frame has no room.
 */
export function replace(d: Director, at: number, length: number, text: string): boolean {
  const p = d.packet;
  const { u8 } = d.umem;
  const end = p.l4 + p.l4len;
  const by = text.length - length;
  if (end + by > limitOf(d)) return false;
  u8.copyWithin(at + text.length, at + length, end);
  for (let i = 0; i < text.length; i++) u8[at + i] = text.charCodeAt(i);
  p.len += by;
  p.l3len += by;
  p.l4len += by;
  writeLengths(d);
  return true;
}

/**
 * Offset at which the packet must end: the end of its frame, or of the stretch for reassembled
 * datagrams.
 */
function limitOf(d: Director): number {
  const p = d.packet;
  const { frameSize } = d.umem;
  return p.parts === 0 ? (p.frame & ~(frameSize - 1)) + frameSize : p.l3 + LONGEST;
}

function writeLengths(d: Director): void {
  const p = d.packet;
  const { view } = d.umem;
  if (p.family === 4) ipv4.rewriteTotalLen(view, p.l3, p.l3len);
  else ipv6.setPayloadLen(view, p.l3, p.l3len - ipv6.HEADER);
  tcp.fillChecksum(view, p.l4, p.l4len, pseudo(d));
}

/**
 * Translates the sequence number of a destination's segment. `seq`: the number before the
 * translation.
 */
export function shiftFromDestination(d: Director, shift: SequenceShift, seq: number): void {
  tcp.rewriteSeq(d.umem.view, d.packet.l4, shift.toClient(seq));
}

/**
 * Translates the client's acknowledgement and SACK blocks (RFC 2018) into the destination's
 * numbers.
 */
export function shiftFromClient(d: Director, shift: SequenceShift): void {
  const { l4, l4len, tcpFlags } = d.packet;
  const { view } = d.umem;
  if ((tcpFlags & tcp.ACK) === 0) return;
  tcp.rewriteAck(view, l4, shift.toDestination(tcp.ack(view, l4)));
  const end = l4 + Math.min(tcp.headerLen(view, l4), l4len);
  const sack = options.find(view, l4 + tcp.HEADER, end, options.SACK);
  if (sack < 0) return;
  const blocks = sack + view.getUint8(sack + 1);
  for (let at = sack + 2; at + 4 <= blocks; at += 4) rewriteEdge(view, l4, at, shift);
}

function rewriteEdge(view: DataView, l4: number, at: number, shift: SequenceShift): void {
  const old = view.getInt32(at);
  const now = shift.toDestination(old);
  const delta = fold(delta32(old, now));
  view.setInt32(at, now);
  // After a single NOP the blocks are not aligned to the checksum's 16-bit words.
  tcp.fix(view, l4, ((at - l4) & 1) === 0 ? delta : ((delta & 0xff) << 8) | (delta >>> 8));
}

function pseudo(d: Director): number {
  const { family, src, dst, l3, l4len } = d.packet;
  if (family === 4) return pseudo4(src, dst, ipv4.TCP, l4len);
  return pseudo6(d.umem.view, l3 + ipv6.SRC, l3 + ipv6.DST, ipv4.TCP, l4len);
}

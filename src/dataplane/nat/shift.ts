/**
 * Sequence numbers, timestamps and windows of a connection whose destination uses others than the
 * client sees: after a helper's change of payload (FTP), and behind the SYN proxy.
 *
 *     client ◄── seq + shift, TSval + shift, window << shift ─── destination
 *     client ─── ack − shift, SACK − shift, TSecr − shift ─────► destination
 */
import type { SeqAdj, SequenceShift } from '../../conntrack/seqadj.js';
import { delta16, delta32, fold } from '../../wire/checksum.js';
import * as options from '../../wire/options.js';
import { timestampsAt } from '../../wire/syn-options.js';
import * as tcp from '../../wire/tcp.js';
import type { Director } from '../director.js';

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
  const { l4, tcpFlags } = d.packet;
  const { view } = d.umem;
  if ((tcpFlags & tcp.ACK) === 0) return;
  tcp.rewriteAck(view, l4, shift.toDestination(tcp.ack(view, l4)));
  const sack = options.find(view, l4 + tcp.HEADER, optionsEnd(d), options.SACK);
  if (sack < 0) return;
  const blocks = sack + view.getUint8(sack + 1);
  for (let at = sack + 2; at + 4 <= blocks; at += 4) rewriteEdge(view, l4, at, shift);
}

function rewriteEdge(view: DataView, l4: number, at: number, shift: SequenceShift): void {
  rewriteOption(view, l4, at, shift.toDestination(view.getInt32(at)));
}

/**
 * Translates a segment of a connection that the SYN proxy opened and no helper reads, client's to
 * destination's numbers.
 */
export function spliceFromClient(d: Director, seqAdj: SeqAdj): void {
  shiftFromClient(d, seqAdj.shift);
  const { view } = d.umem;
  const { l4 } = d.packet;
  const at = timestampsAt(view, l4 + tcp.HEADER, optionsEnd(d));
  if (at >= 0) rewriteOption(view, l4, at + 6, (view.getInt32(at + 6) - seqAdj.timestampShift) | 0);
}

/** The same for a segment of the destination. The window of a SYN is not scaled. */
export function spliceFromDestination(d: Director, seqAdj: SeqAdj): void {
  const { view } = d.umem;
  const { l4 } = d.packet;
  shiftFromDestination(d, seqAdj.shift, tcp.seq(view, l4));
  const at = timestampsAt(view, l4 + tcp.HEADER, optionsEnd(d));
  if (at >= 0) rewriteOption(view, l4, at + 2, (view.getInt32(at + 2) + seqAdj.timestampShift) | 0);
  if (seqAdj.windowShift !== 0 && (tcp.flags(view, l4) & tcp.SYN) === 0) rescaleWindow(view, l4, seqAdj.windowShift);
}

/**
 * Translates the segment that an ICMP error quotes, as far as it is there (`end`: where the frame
 * ends). The end that gets the error compares the number with its own (tcp_v4_err). `toClient`: the
 * client's segment is quoted, as the destination got it. Timestamps stay: nobody compares them. The
 * kernel's synproxy does not translate quotes, so path MTU discovery fails behind it.
 */
export function spliceQuoted(view: DataView, l4: number, end: number, seqAdj: SeqAdj, toClient: boolean): void {
  const at = l4 + (toClient ? 8 : 4);
  if (at + 4 > end) return;
  const { shift } = seqAdj;
  const number = view.getInt32(at);
  // Both are numbers of the destination's side.
  view.setInt32(at, toClient ? shift.toClient(number) : shift.toDestination(number));
}

function rescaleWindow(view: DataView, l4: number, shift: number): void {
  const old = tcp.window(view, l4);
  const now = shift < 0 ? old >>> -shift : Math.min(old << shift, 0xffff);
  tcp.fix(view, l4, delta16(old, now));
  tcp.setWindow(view, l4, now);
}

function optionsEnd(d: Director): number {
  const { l4, l4len } = d.packet;
  return l4 + Math.min(tcp.headerLen(d.umem.view, l4), l4len);
}

/** After a single NOP an option is not aligned to the checksum's 16-bit words. */
function rewriteOption(view: DataView, l4: number, at: number, now: number): void {
  const delta = fold(delta32(view.getInt32(at), now));
  view.setInt32(at, now);
  tcp.fix(view, l4, ((at - l4) & 1) === 0 ? delta : ((delta & 0xff) << 8) | (delta >>> 8));
}

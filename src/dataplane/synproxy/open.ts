/**
 * The SYN proxy, from the client to the destination: an acknowledgement with a valid cookie opens a
 * connection. It becomes the SYN that the client sent, as far as the cookie tells, and goes on as
 * if it had just come. What the destination's answer needs is noted (Asked of conntrack/seqadj.ts).
 */
import { Asked } from '../../conntrack/seqadj.js';
import { FrameStat } from '../../stats/counters.js';
import { SynOptions } from '../../wire/syn-options.js';
import * as tcp from '../../wire/tcp.js';
import type { Director } from '../director.js';
import { isSound } from '../host/local.js';
import { fillEnds, Segment, segmentLength, writeSegmentAt } from '../output/segment.js';
import { parse } from '../parse/parse.js';
import { readOffers } from './answer.js';

const segment = new Segment();
/** Of the acknowledgement that `proves` has seen. */
const options = new SynOptions();
let mss = 0;
let seq = 0;

/**
 * Returns true when the current packet, an acknowledgement, has a valid cookie. A probe of the zero
 * window has the number before the client's next one.
 */
export function proves(d: Director): boolean {
  const p = d.packet;
  const { view } = d.umem;
  if (p.parts !== 0) return false;
  seq = tcp.seq(view, p.l4);
  const cookie = (tcp.ack(view, p.l4) - 1) | 0;
  mss = d.cookies.check(p, (seq - 1) | 0, cookie, d.now);
  if (mss === 0) {
    mss = d.cookies.check(p, seq, cookie, d.now);
    seq = (seq + 1) | 0;
  }
  const isProof = mss !== 0 && isSound(d);
  d.counters.count(isProof ? FrameStat.cookiesAccepted : FrameStat.cookiesRefused);
  return isProof;
}

/** Makes the client's SYN of the current packet. `entry`: the connection that it has opened. */
export function becomeSyn(d: Director, entry: number): void {
  const p = d.packet;
  const { view } = d.umem;
  options.read(view, p.l4 + tcp.HEADER, p.l4 + Math.min(tcp.headerLen(view, p.l4), p.l4len));
  const seqAdj = d.connections.seqAdjOf(entry);
  seqAdj.note(Asked.seq, seq);
  seqAdj.note(Asked.ack, tcp.ack(view, p.l4));
  seqAdj.note(Asked.timestamp, options.timestamp);
  seqAdj.note(Asked.echo, options.echo);
  seqAdj.note(Asked.window, tcp.window(view, p.l4));
  seqAdj.note(Asked.offers, (mss << 1) | (options.hasTimestamps ? 1 : 0));
  d.traced?.note('SYN proxy: the cookie is valid, its SYN goes on');
  fillAsked(d, segment, entry, true);
  const { mark } = p;
  writeSegmentAt(d, segment, p.frame);
  parse(view, p.frame, segmentLength(segment), p);
  p.mark = mark;
}

/**
 * Fills a segment with what the client's SYN said, or with its acknowledgement of the cookie. The
 * addresses are those between client and virtual address, the numbers the client's.
 */
export function fillAsked(d: Director, s: Segment, entry: number, isSyn: boolean): void {
  const asked = d.connections.seqAdjOf(entry);
  const offers = asked.noted(Asked.offers);
  fillEnds(d, s, entry, true);
  s.seq = (asked.noted(Asked.seq) - (isSyn ? 1 : 0)) | 0;
  s.ack = isSyn ? 0 : asked.noted(Asked.ack);
  s.flags = isSyn ? tcp.SYN : tcp.ACK;
  s.window = asked.noted(Asked.window);
  s.options.hasTimestamps = (offers & 1) !== 0;
  s.options.timestamp = asked.noted(Asked.timestamp);
  s.options.echo = asked.noted(Asked.echo);
  readOffers(s.options);
  s.options.mss = offers >>> 1;
  if (isSyn) s.options.echo = 0;
  else s.options.clearAgreed();
}

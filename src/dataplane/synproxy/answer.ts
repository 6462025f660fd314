/**
 * The SYN proxy, client's side: a SYN is answered by a cookie (dataplane/table/cookies.ts), and
 * nothing is stored. What the cookie cannot carry comes back in the client's timestamp, as in
 * nf_synproxy_core.c: its low bits say what the client offered. Without timestamps there is no
 * window scale and no SACK.
 *
 *     client ── SYN ─────────────────────────────────────────► director
 *     client ◄─ SYN,ACK  seq: cookie, window 0, TSval: time | offers ─ director
 *     client ── ACK  ack: cookie + 1, TSecr: time | offers ──► director: path/synproxy.ts
 *
 *     offers   5 0   4 SACK permitted   3–0 window scale, 15: none
 */

import type { SynProxy } from '../../service/syn-proxy.js';
import { FrameStat } from '../../stats/counters.js';
import { Drop } from '../../stats/drops.js';
import type { FinalVerdict } from '../../stats/verdict.js';
import * as ethernet from '../../wire/ethernet.js';
import { SynOptions } from '../../wire/syn-options.js';
import * as tcp from '../../wire/tcp.js';
import type { Director } from '../director.js';
import { isSound } from '../host/local.js';
import { neighbourOutput } from '../output/neighbour-output.js';
import { fillEndsOfPacket, Segment, segmentLength, writeSegment } from '../output/segment.js';
import { deliver, drop } from '../output/verdict.js';

/** The window scale that clients are told, which is Linux's for 6 MB. */
export const ANNOUNCED_SCALE = 7;
/** The longest segments that clients are told are those of Ethernet. */
const LONGEST = 1500;
const OFFERS = 0x3f;
const OFFERS_SACK = 0x10;
const SCALE = 0x0f;
const NO_SCALE = 15;

const segment = new Segment();
const offered = new SynOptions();

/** Answers the current packet, a SYN, by a cookie. */
export function answerByCookie(d: Director, proxy: SynProxy): FinalVerdict {
  const p = d.packet;
  if (!isSound(d)) return drop(d, Drop.badChecksum);
  const hop = p.family === 4 ? d.router.lookup4(p.src, p.dst, 0) : d.router.lookup6(p.src6, p.dst6, 0);
  if (hop < 0) return drop(d, Drop.noRoute);
  fillAnswer(d, Math.min(d.router.mtu, LONGEST));
  d.traced?.note('SYN proxy: answered by a cookie');
  proxy.noteCookie(d.now);
  d.counters.count(FrameStat.cookiesSent);
  const verdict = deliver(d);
  const frame = writeSegment(d, segment);
  if (frame >= 0) neighbourOutput(d, hop, frame, segmentLength(segment), ethernet.type(d.umem.view, frame), true);
  return verdict;
}

function fillAnswer(d: Director, mtu: number): void {
  const p = d.packet;
  const { view } = d.umem;
  const s = segment;
  offered.read(view, p.l4 + tcp.HEADER, p.l4 + Math.min(tcp.headerLen(view, p.l4), p.l4len));
  fillEndsOfPacket(d, s, true);
  const seq = tcp.seq(view, p.l4);
  s.seq = d.cookies.make(p, seq, offered.mss, d.now);
  s.ack = (seq + 1) | 0;
  s.flags = tcp.SYN | tcp.ACK;
  fillOptions(d, mtu - (p.family === 4 ? 40 : 60));
}

/**
 * Of a helper's connection the timestamps cannot be shifted (conntrack/seqadj.ts): it has none.
 */
function fillOptions(d: Director, mss: number): void {
  const { options } = segment;
  options.mss = mss;
  options.hasTimestamps = offered.hasTimestamps && !d.connections.helperPorts.includes(d.packet.dport);
  options.sackPermitted = options.hasTimestamps && offered.sackPermitted;
  options.windowScale = options.hasTimestamps && offered.windowScale >= 0 ? ANNOUNCED_SCALE : -1;
  options.echo = offered.timestamp;
  const offers = (offered.windowScale < 0 ? NO_SCALE : offered.windowScale) | (offered.sackPermitted ? OFFERS_SACK : 0);
  options.timestamp = (Math.floor(d.now) & ~OFFERS) | offers;
}

/** Sets the options that the client's SYN had, by the timestamp that it echoes. */
export function readOffers(options: SynOptions): void {
  const { echo, hasTimestamps } = options;
  const scale = echo & SCALE;
  options.windowScale = hasTimestamps && scale !== NO_SCALE ? scale : -1;
  options.sackPermitted = hasTimestamps && (echo & OFFERS_SACK) !== 0;
}

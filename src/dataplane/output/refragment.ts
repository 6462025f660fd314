/**
 * Sends a reassembled datagram in fragments again. The received boundaries are kept if the
 * fragments fit the path with a tunnel's header in front. Otherwise (most tunnels, a smaller MTU)
 * the datagram is cut anew, no fragment longer than the longest received one. The received frames
 * carry the fragments: missing frames are allocated, spare ones are freed.
 *
 *      kept:  in  | 1480 | 1480 | 40 |           out    | 1480 | 1480 | 40 |          DF is dropped, as in the kernel
 *      cut:   outer header + 3000                out    | 1480 | 1480 | 60 |          DF stays
 */
import { FrameStat } from '../../stats/counters.js';
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import * as ethernet from '../../wire/ethernet.js';
import * as extensions from '../../wire/extensions.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { enqueue, neighbourOutput } from './neighbour-output.js';
import { drop } from './verdict.js';

const SMALLEST6 = 1280;
const LONGEST = 65535;
/**
 * Fragments of one packet: the bounds of their data, and their frames. Room for 65,535 bytes in
 * units of 8.
 */
const MOST = 8192;
const from = new Int32Array(MOST);
const to = new Int32Array(MOST);
const frames = new Int32Array(MOST);
const lens = new Int32Array(MOST);

/**
 * Sends the fragments to the neighbour `hop`. `mtu`: of its route. The verdict is that of the first
 * fragment; each counts on its own.
 */
export function sendRefragmented(d: Director, hop: number, mtu: number): FinalVerdict {
  const { assembled } = d;
  const count = cut(d, longestOf(d, mtu), false);
  if (count < 0) return drop(d, Drop.noFrame);
  const type = d.packet.etherType;
  const verdict = neighbourOutput(d, hop, frames[0]!, lens[0]!, type, false);
  for (let i = 1; i < count; i++) neighbourOutput(d, hop, frames[i]!, lens[i]!, type, i >= assembled.count);
  if (count < assembled.count) d.counters.values[FrameStat.forwarded]! += assembled.count - count;
  return verdict;
}

/**
 * Longest fragment. Behind an outer header of the other family the received sizes do not matter.
 */
function longestOf(d: Director, mtu: number): number {
  const p = d.packet;
  return ipv4.version(d.umem.view, p.l3) === p.family ? Math.min(mtu, d.assembled.largest) : mtu;
}

/**
 * The current packet was turned into its own answer: a packet of the director, limited by the route
 * only.
 */
export function answerRefragmented(d: Director, hop: number, mtu: number): FinalVerdict {
  const count = cut(d, mtu, true);
  if (count < 0) return drop(d, Drop.noFrame);
  const type = d.packet.etherType;
  d.counters.values[FrameStat.delivered]! += d.assembled.count;
  for (let i = 0; i < count; i++) neighbourOutput(d, hop, frames[i]!, lens[i]!, type, true);
  return Verdict.delivered;
}

/**
 * Delivers the datagram to the host's own stack by the link `device`, in its received fragments.
 * `verdict`: what it counts as.
 */
export function deliverRefragmented(
  d: Director,
  device: number,
  verdict: typeof Verdict.delivered | typeof Verdict.passed,
): FinalVerdict {
  const { assembled } = d;
  const count = cut(d, assembled.largest, false);
  if (count < 0) return drop(d, Drop.noFrame);
  d.counters.values[verdict]! += assembled.count;
  for (let i = 0; i < count; i++) enqueue(d, device, frames[i]!, lens[i]!, true);
  return verdict;
}

/**
 * Makes the fragments, complete but for their Ethernet addresses, none longer than `longest`.
 * Returns their number, −1 without free frames, when nothing was changed. `anew`: ignores the
 * received boundaries.
 */
function cut(d: Director, longest: number, anew: boolean): number {
  const p = d.packet;
  const { assembled } = d;
  const six = ipv4.version(d.umem.view, p.l3) === 6;
  const outer = six && p.l3 !== assembled.l3;
  const header = headerOf(d, six, outer);
  const room = six ? Math.max(longest, SMALLEST6) - header - extensions.FRAGMENT_HEADER : longest - header;
  const data = p.l3len - header;
  const keep = !anew && fits(d, data, room);
  const count = keep ? keepBounds(d, data) : newBounds(data, room & ~7);
  if (count < 0 || p.l3len > LONGEST || !findFrames(d, count)) return -1;
  p.etherType = six ? ethernet.TYPE_IPV6 : ethernet.TYPE_IPV4;
  if (six) write6(d, count, header, outer);
  else write4(d, count, header, !keep);
  for (let i = count; i < assembled.count; i++) d.umem.free(assembled.frames[i]!);
  return count;
}

/** Length of the header that every fragment has a copy of. */
function headerOf(d: Director, six: boolean, outer: boolean): number {
  if (!six) return ipv4.headerLen(d.umem.view, d.packet.l3);
  return outer ? ipv6.HEADER : d.assembled.unfragmentable;
}

/**
 * Returns true when the received boundaries can stay: the first fragment has room for the added
 * headers and ends at a multiple of 8.
 */
function fits(d: Director, data: number, room: number): boolean {
  const { assembled } = d;
  const first = assembled.to[0]! + added(d, data);
  if (first > room || first <= 0 || (first & 7) !== 0) return false;
  for (let i = 1; i < assembled.count; i++) if (assembled.to[i]! - assembled.from[i]! > room) return false;
  return true;
}

/** Bytes between the fragments' header and the received data. */
function added(d: Director, data: number): number {
  return data - d.assembled.to[d.assembled.count - 1]!;
}

function keepBounds(d: Director, data: number): number {
  const { assembled } = d;
  const shift = added(d, data);
  for (let i = 0; i < assembled.count; i++) {
    from[i] = i === 0 ? 0 : assembled.from[i]! + shift;
    to[i] = assembled.to[i]! + shift;
  }
  return assembled.count;
}

function newBounds(data: number, step: number): number {
  if (step <= 0) return -1;
  const count = Math.ceil(data / step);
  for (let i = 0; i < count; i++) {
    from[i] = i * step;
    to[i] = Math.min(data, (i + 1) * step);
  }
  return count;
}

/** The received frames first, then new ones. */
function findFrames(d: Director, count: number): boolean {
  const { assembled, umem } = d;
  if (umem.freeFrames < count - assembled.count) return false;
  for (let i = 0; i < count; i++) frames[i] = i < assembled.count ? umem.start(assembled.frames[i]!) : umem.alloc();
  return true;
}

function write4(d: Director, count: number, header: number, keepDf: boolean): void {
  const { l3 } = d.packet;
  const { view, u8 } = d.umem;
  const df = keepDf && ipv4.dontFragment(view, l3);
  for (let i = 0; i < count; i++) {
    const ip = frames[i]! + ethernet.HEADER;
    const size = to[i]! - from[i]!;
    u8.copyWithin(ip, l3, l3 + header);
    u8.copyWithin(ip + header, l3 + header + from[i]!, l3 + header + to[i]!);
    ipv4.setTotalLen(view, ip, header + size);
    ipv4.setFragment(view, ip, from[i]!, i < count - 1, df);
    if (i > 0 && header > ipv4.HEADER) ipv4.blankOptions(view, ip, header);
    ipv4.fillChecksum(view, ip);
    lens[i] = ethernet.HEADER + header + size;
  }
}

/** `outer`: a tunnel's header is in front, and the fragment header goes behind it. */
function write6(d: Director, count: number, header: number, outer: boolean): void {
  const { l3 } = d.packet;
  const { view, u8 } = d.umem;
  const named = outer ? ipv6.NEXT_HEADER : d.assembled.named;
  const next = view.getUint8(l3 + named);
  const id = d.random.next();
  for (let i = 0; i < count; i++) {
    const ip = frames[i]! + ethernet.HEADER;
    const size = to[i]! - from[i]!;
    const data = ip + header + extensions.FRAGMENT_HEADER;
    u8.copyWithin(ip, l3, l3 + header);
    u8.copyWithin(data, l3 + header + from[i]!, l3 + header + to[i]!);
    view.setUint8(ip + named, extensions.FRAGMENT);
    extensions.writeFragment(view, ip + header, next, from[i]!, i < count - 1, id);
    ipv6.setPayloadLen(view, ip, data + size - ip - ipv6.HEADER);
    lens[i] = ethernet.HEADER + data + size - ip;
  }
}

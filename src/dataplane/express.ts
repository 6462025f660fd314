/**
 * The short way of what most packets are: whole IPv4 TCP and UDP packets of a connection that is known, on their way by
 * masquerading or gatewaying, with nothing to say about them. Everything else goes the long way (process.ts) in its turn,
 * untouched; the long way alone decides what is right, and a test holds the two equal.
 *
 *     batch ─► sight: headers sound? ─► fetch: bucket, entry ─► find: whose? ─► carry: counts, state, timer, rewrite, output
 *              └─ no: the long way                              └─ nobody's: the long way, as all that carry does not like
 *
 * Walks over the batch instead of packets in turn: those of a walk do not depend on each other, so the processor waits for
 * the cache misses of many at once. When an earlier packet of the batch changed the table, the later are searched anew.
 */
import { Direction } from '../conntrack/connections.js';
import {
  CADDR,
  CONN_FULLNAT,
  CONN_HELPER,
  CONN_NO_CPORT,
  CONN_NOOUTPUT,
  CONN_ONE_PACKET,
  CONN_REVERSE,
  DADDR,
  DEST,
  DUE,
  ENTRY_SHIFT,
  EXPIRES,
  FLAGS,
  METHOD_MASK,
  PACKETS,
  PORTS,
  REST,
  TIMEOUT,
  VADDR,
} from '../conntrack/entry.js';
import { nextTcpState } from '../conntrack/tcp.js';
import type { Batch } from '../device/batch.js';
import { type Destination, Method } from '../service/destination.js';
import { Fate, Stat } from '../stats/counters.js';
import * as ethernet from '../wire/ethernet.js';
import * as ipv4 from '../wire/ipv4.js';
import { crowdFetcher } from './crowd.js';
import type { Director } from './director.js';
import type { Link } from './link.js';
import type { Neighbour } from './neighbour.js';
import { TCP_RST, TCP_SYN } from './packet.js';
import { adjusted, halves, isPlain, swap16, swap32 } from './plain.js';

/** Connections that need more than an address and a port rewritten. */
const UNUSUAL = CONN_HELPER | CONN_NO_CPORT | CONN_ONE_PACKET | CONN_FULLNAT | CONN_REVERSE;
/** By place in the batch: nothing was looked for, it goes the long way. */
const UNFIT = -1;
/** Of the sums: nobody reads it, but loads whose result goes nowhere are left out by the compiler. */
const UNREAD = 6;
const ROOM = 512;
const IP = ethernet.HEADER;
const L4 = IP + ipv4.HEADER;
const BYTES = Stat.inbytes - Stat.inpkts;

/** The long way of one frame. */
export type LongWay = (d: Director, device: number, frame: number, len: number) => void;
/** All frames of `batch` (512 at most), which came in by the link `device`, in their order. */
export type Process = (device: number, batch: Batch) => void;

/**
 * Functions in a function instead of a class: V8 compiles what only one closure has with the arrays it closes over as
 * constants, their addresses and lengths in the code. With `this` in their place it was half as fast.
 */
export function express(d: Director, longWay: LongWay): Process {
  const { connections, links, neighbours, router, counters, pathMtus, umem } = d;
  const { table, words, timeouts } = connections;
  const { buckets } = table;
  const { values } = counters;
  const { i32, u16, u8 } = umem;
  const all = neighbours.all;
  const heads = new Int32Array(ROOM);
  const found = new Int32Array(ROOM);
  const fetchCrowd = crowdFetcher(table, umem, ROOM);
  // Of the batch at hand, for the counters that all packets share: frames, their bytes; packets, bytes in; packets, bytes out.
  const sums = new Float64Array(7);

  function process(device: number, batch: Batch): void {
    const { offsets, lengths, n } = batch;
    sight(offsets, lengths, n);
    fetch(n);
    if (table.tuples.size !== 0) sums[UNREAD] = fetchCrowd(offsets, heads, n);
    find(offsets, n);
    const { changes } = table;
    for (let i = 0; i < n; i++) {
      const frame = offsets[i]!;
      const len = lengths[i]!;
      let entry = found[i]!;
      if (changes !== table.changes && heads[i] !== UNFIT) entry = search(frame, UNFIT);
      if (entry > 0 ? !carryIn(device, frame, len, entry) : entry === 0 || !carryOut(device, frame, len, -entry))
        longWay(d, device, frame, len);
    }
    if (sums[0] !== 0) settle();
  }

  function sight(offsets: Int32Array, lengths: Int32Array, n: number): void {
    for (let i = 0; i < n; i++) {
      const frame = offsets[i]!;
      const src = swap32(i32[(frame + IP + ipv4.SRC) >> 2]!);
      if (isPlain(i32, frame, lengths[i]!) && !(d.forwardsShared && d.services.isVip4(src))) {
        heads[i] = table.bucket(u8[frame + IP + 9]!, src, swap16(i32[(frame + L4) >> 2]!));
      } else heads[i] = UNFIT;
    }
  }

  /** Two loops so short that the processor has dozens of their cache misses under way at once. */
  function fetch(n: number): void {
    for (let i = 0; i < n; i++) if (heads[i] !== UNFIT) heads[i] = buckets[heads[i]!]!;
    let lines = 0;
    for (let i = 0; i < n; i++) if (heads[i] !== UNFIT) lines ^= words[heads[i]! << ENTRY_SHIFT]!;
    sums[UNREAD] = lines;
  }

  function find(offsets: Int32Array, n: number): void {
    for (let i = 0; i < n; i++) {
      // A SYN goes the long way; but its bucket was fetched, which it will ask for.
      if (heads[i] !== UNFIT && isSyn(offsets[i]!)) heads[i] = UNFIT;
      found[i] = heads[i] === UNFIT ? 0 : search(offsets[i]!, heads[i]!);
    }
  }

  function isSyn(frame: number): boolean {
    return u8[frame + IP + 9] === ipv4.TCP && (u8[frame + L4 + 13]! & TCP_SYN) !== 0;
  }

  /** The connection, the negative one of a reply, or 0. `head`: the bucket's first entry, UNFIT to look it up. */
  function search(frame: number, head: number): number {
    const protocol = u8[frame + IP + 9]!;
    const src = swap32(i32[(frame + IP + ipv4.SRC) >> 2]!);
    const dst = swap32(i32[(frame + IP + ipv4.DST) >> 2]!);
    const ports = swap32(i32[(frame + L4) >> 2]!);
    const first = head === UNFIT ? table.chain(protocol, src, ports >>> 16) : head;
    const entry = table.walkIn4(first, protocol, src, dst, ports);
    return entry !== 0 ? entry : -table.findOut4(protocol, src, ports >>> 16, dst, ports & 0xffff);
  }

  function isNarrow(method: number, address: number): boolean {
    return method === Method.masq && pathMtus.isKnown(address, d.now);
  }

  /** False when it must go the long way; then nothing was done. */
  function carryIn(device: number, frame: number, len: number, entry: number): boolean {
    const at = entry << ENTRY_SHIFT;
    const flags = words[at + FLAGS]!;
    const method = flags & METHOD_MASK;
    const tcpFlags = u8[frame + IP + 9] === ipv4.TCP ? u8[frame + L4 + 13]! : -1;
    if ((method !== Method.masq && method !== Method.gatewaying) || (flags & UNUSUAL) !== 0) return false;
    if (isOver(at) || (tcpFlags === -1 && u16[(frame + L4 + 6) >> 1] === 0)) return false;
    const dest = destOf(at);
    const address = words[at + DADDR]!;
    const l3len = swap16(u16[(frame + IP + 2) >> 1]!);
    if (dest === undefined || dest.family !== 4 || !isForUs(device, frame)) return false;
    const neighbour = wayOut(router.lookup4(address, 0, 0), l3len);
    if (neighbour === undefined || (pathMtus.some && isNarrow(method, address))) return false;
    count(dest, Stat.inpkts, l3len, 2);
    words[at + PACKETS]!++;
    step(entry, at, Direction.input, tcpFlags);
    if (method === Method.gatewaying) takeTime(frame, 0);
    else translate(frame, frame + IP + ipv4.DST, address, L4 + 2, words[at + REST]! >>> 16, tcpFlags !== -1);
    leave(frame, len, l3len, neighbour);
    return true;
  }

  function carryOut(device: number, frame: number, len: number, entry: number): boolean {
    const at = entry << ENTRY_SHIFT;
    const flags = words[at + FLAGS]!;
    if ((flags & METHOD_MASK) !== Method.masq || (flags & UNUSUAL) !== 0 || isOver(at)) return false;
    if (u8[frame + IP + 9] !== ipv4.TCP) return false;
    const tcpFlags = u8[frame + L4 + 13]!;
    if (mayOpen(tcpFlags)) return false;
    const dest = destOf(at);
    const address = words[at + VADDR]!;
    const l3len = swap16(u16[(frame + IP + 2) >> 1]!);
    if (dest === undefined || !isForUs(device, frame)) return false;
    const neighbour = wayOut(router.lookup4(words[at + CADDR]!, address, 0), l3len);
    if (neighbour === undefined) return false;
    count(dest, Stat.outpkts, l3len, 4);
    step(entry, at, Direction.output, tcpFlags);
    translate(frame, frame + IP + ipv4.SRC, address, L4, words[at + PORTS]! & 0xffff, true);
    leave(frame, len, l3len, neighbour);
    return true;
  }

  function isOver(at: number): boolean {
    return ((words[at + EXPIRES]! - connections.now) | 0) <= 0;
  }

  /** A reply that a service might take for a new client's packet; marks could make it one, or choose its route. */
  function mayOpen(tcpFlags: number): boolean {
    if (d.marks !== undefined || connections.withoutPort !== 0) return true;
    return (tcpFlags & TCP_RST) === 0 && d.sysctl.sloppy_tcp !== 0;
  }

  function destOf(at: number): Destination | undefined {
    const slot = words[at + DEST]!;
    if (slot === 0) return undefined;
    const dest = d.dests[slot - 1]!;
    return dest.available ? dest : undefined;
  }

  function isForUs(device: number, frame: number): boolean {
    const { mac } = links[device]!;
    return u16[frame >> 1] === swap16(mac[0]) && i32[(frame + 2) >> 2] === swap32(mac[1]);
  }

  /** A neighbour that is there, by an output with room, if the packet is not too long for the route. */
  function wayOut(hop: number, l3len: number): Neighbour | undefined {
    if (hop < 0 || l3len > router.mtu) return undefined;
    const neighbour = all[hop]!;
    if (!neighbour.usable) return undefined;
    const { output } = links[neighbour.device]!;
    return output.n < output.capacity ? neighbour : undefined;
  }

  function count(dest: Destination, packets: number, bytes: number, sum: number): void {
    const destination = counters.destinationRow(dest.slot) + packets;
    const service = counters.serviceRow(dest.service.slot) + packets;
    values[destination]!++;
    values[destination + BYTES]! += bytes;
    values[service]!++;
    values[service + BYTES]! += bytes;
    sums[sum]!++;
    sums[sum + 1]! += bytes;
  }

  /** State and timer; a packet that changes the state, or brings the end nearer, is Connections' business. */
  function step(entry: number, at: number, direction: 0 | 1, tcpFlags: number): void {
    if (tcpFlags === -1) connections.udp(entry, direction);
    else {
      const silent = (words[at + FLAGS]! & CONN_NOOUTPUT) !== 0;
      const state = words[at + REST]! & 0xff;
      const seen = silent ? Direction.inputOnly : direction;
      if (
        (silent && direction === Direction.output) ||
        nextTcpState(state, seen, tcpFlags, connections.secureTcp) !== state
      )
        connections.tcp(entry, direction, tcpFlags);
      else words[at + TIMEOUT] = timeouts.tcp[state]!;
    }
    const expires = (connections.now + words[at + TIMEOUT]!) | 0;
    words[at + EXPIRES] = expires;
    if (((expires - words[at + DUE]!) | 0) < 0) connections.touch(entry);
  }

  /** TTL less one, `delta` more in the header's checksum: a sum of 16-bit words, in whatever byte order. */
  function takeTime(frame: number, delta: number): void {
    const at = (frame + IP + 8) >> 1;
    u16[at]!--;
    u16[at + 1] = adjusted(u16[at + 1]!, 0xfffe + delta);
  }

  /** Address and port become others, one of the TTL is taken, both checksums follow (RFC 1624). */
  function translate(frame: number, addressAt: number, to: number, portAt: number, port: number, isTcp: boolean): void {
    const address = swap32(to);
    const delta = halves(~i32[addressAt >> 2]!) + halves(address);
    i32[addressAt >> 2] = address;
    takeTime(frame, delta);
    const at = (frame + portAt) >> 1;
    const sumAt = (frame + L4 + (isTcp ? 16 : 6)) >> 1;
    const now = adjusted(u16[sumAt]!, delta + (~u16[at]! & 0xffff) + swap16(port));
    u16[at] = swap16(port);
    if (isTcp) u16[sumAt] = now;
    else if (u16[sumAt] !== 0) u16[sumAt] = now || 0xffff;
  }

  function leave(frame: number, len: number, l3len: number, neighbour: Neighbour): void {
    const { mac, output }: Link = links[neighbour.device]!;
    neighbour.used = true;
    u16[frame >> 1] = swap16(neighbour.macHi);
    i32[(frame + 2) >> 2] = swap32(neighbour.macLo);
    u16[(frame + 6) >> 1] = swap16(mac[0]);
    u16[(frame + 8) >> 1] = swap16(mac[1] >>> 16);
    u16[(frame + 10) >> 1] = swap16(mac[1]);
    output.offsets[output.n] = frame;
    output.lengths[output.n++] = l3len + IP;
    sums[0]!++;
    sums[1]! += len;
  }

  function settle(): void {
    const { totalRow } = counters;
    const frames = sums[0]!;
    values[Fate.in]! += frames;
    values[Fate.inBytes]! += sums[1]!;
    values[Fate.forwarded]! += frames;
    values[Fate.out]! += frames;
    values[Fate.outBytes]! += sums[3]! + sums[5]! + frames * IP;
    values[totalRow + Stat.inpkts]! += sums[2]!;
    values[totalRow + Stat.inbytes]! += sums[3]!;
    values[totalRow + Stat.outpkts]! += sums[4]!;
    values[totalRow + Stat.outbytes]! += sums[5]!;
    sums.fill(0);
  }

  return process;
}

/**
 * Rewrites and queues a frame of the fast path, through aligned words in the byte order of the
 * machine. Checksums are updated incrementally (RFC 1624).
 *
 *      NAT      | Ethernet | IP: address, TTL or hop limit | TCP or UDP: port, checksum |      in place
 *      Tun      | Ethernet | outer IP | gre, gue | inner IP: TTL or hop limit | …              in the headroom
 */
import { type Destination, TunnelKind } from '../../service/service.js';
import * as ethernet from '../../wire/ethernet.js';
import { outerTos } from '../../wire/ipip.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import type { Director } from '../director.js';
import { adjusted, halves, swap16, swap32 } from '../parse/aligned.js';
import { flowPort, GRE, GUE, UDP } from '../table/tunnel-headers.js';
import { ADDRESS6, type BatchCache, DEVICE, HEADER, SOURCE6, TUNNEL_SOURCE } from './cache.js';

const IP = ethernet.HEADER;
/** TTL and protocol of an IPv4 header; payload length and hop limit of an IPv6 header. */
const TTL = 8;
const DF = 0x40 << 16;
const WORDS = ipv6.HEADER >> 2;

export interface Rewriter {
  /** Decrements the TTL and adds `delta` to the header checksum. */
  decrementTtl(frame: number, delta: number): void;
  decrementHopLimit(frame: number): void;
  /**
   * Writes an IPv4 address at the offset `at` of the frame. Returns the delta for checksums.
   */
  setAddress(at: number, to: number): number;
  /** The same for an IPv6 address, which is in the four words of `words` from `from`. */
  setAddress6(at: number, words: Int32Array, from: number): number;
  /**
   * Writes a port at the offset `at` of the frame. `delta`: of the addresses. `sumAt`: offset of
   * the checksum. A UDP datagram without a checksum keeps none.
   */
  setPort(at: number, port: number, sumAt: number, delta: number, isTcp: boolean): void;
  /**
   * Writes the outer header of a tunnel in front of a packet of `total` bytes, whose TTL is final.
   * `row`: of the destination, in the cache. `ports`: of the packet. Returns the offset of the
   * frame now.
   */
  encapsulate4(frame: number, total: number, dest: Destination, row: number, ports: number): number;
  encapsulate6(frame: number, total: number, dest: Destination, row: number, ports: number): number;
  /**
   * Writes the Ethernet header and queues the frame. `to`: the neighbour's row in the cache.
   * `type`: the column HEADER + 3 for IPv4, TYPE6 for IPv6.
   */
  transmit(frame: number, length: number, to: number, type: number): void;
}

/** A closure for the same reason as `fastPath`. */
export function rewriter(d: Director, { rows: cached }: BatchCache): Rewriter {
  const { links, umem } = d;
  const { i32, u16, u8 } = umem;

  /** A ones' complement sum has no byte order. */
  function decrementTtl(frame: number, delta: number): void {
    const at = (frame + IP + TTL) >> 1;
    u16[at]!--;
    u16[at + 1] = adjusted(u16[at + 1]!, 0xfffe + delta);
  }

  function decrementHopLimit(frame: number): void {
    u8[frame + IP + ipv6.HOP_LIMIT]!--;
  }

  function setAddress(at: number, to: number): number {
    const address = swap32(to);
    const delta = halves(~i32[at >> 2]!) + halves(address);
    i32[at >> 2] = address;
    return delta;
  }

  function setAddress6(at: number, words: Int32Array, from: number): number {
    return (
      setAddress(at, words[from]!) +
      setAddress(at + 4, words[from + 1]!) +
      setAddress(at + 8, words[from + 2]!) +
      setAddress(at + 12, words[from + 3]!)
    );
  }

  function setPort(portAt: number, port: number, sumAt: number, delta: number, isTcp: boolean): void {
    const at = portAt >> 1;
    const sum = u16[sumAt >> 1]!;
    const now = adjusted(sum, delta + (~u16[at]! & 0xffff) + swap16(port));
    u16[at] = swap16(port);
    if (isTcp) u16[sumAt >> 1] = now;
    else if (sum !== 0) u16[sumAt >> 1] = now || 0xffff;
  }

  function encapsulate4(frame: number, total: number, dest: Destination, row: number, ports: number): number {
    const inner = (frame + IP) >> 2;
    const ttl = i32[inner + 2]! & 0xff;
    const df = (i32[inner + 1]! & DF) !== 0 && d.sysctl.pmtu_disc !== 0;
    const shim = writeShim(inner, total, dest, ports, i32[inner + 3]! ^ i32[inner + 4]!, ipv4.IPIP);
    const outer = inner - (shim >> 2) - (ipv4.HEADER >> 2);
    const length = total + shim + ipv4.HEADER;
    const first = 0x45 | (outerTos((i32[inner]! >>> 8) & 0xff) << 8) | (swap16(length) << 16);
    const second = df ? DF : swap16(d.nextIdent());
    const third = ttl | (outerProtocol(dest, ipv4.IPIP) << 8);
    const from = swap32(cached[row + TUNNEL_SOURCE]!);
    const to = swap32(dest.address);
    i32[outer] = first;
    i32[outer + 1] = second;
    i32[outer + 2] =
      third | (adjusted(0xffff, halves(first) + halves(second) + third + halves(from) + halves(to)) << 16);
    i32[outer + 3] = from;
    i32[outer + 4] = to;
    return (outer << 2) - IP;
  }

  function encapsulate6(frame: number, total: number, dest: Destination, row: number, ports: number): number {
    const inner = (frame + IP) >> 2;
    const first = swap32(i32[inner]!);
    const hops = i32[inner + 1]! & 0xff000000;
    const shim = writeShim(inner, total, dest, ports, i32[inner + 5]! ^ i32[inner + 9]!, ipv4.IPV6);
    const outer = inner - (shim >> 2) - WORDS;
    i32[outer] = swap32(0x60000000 | (outerTos((first >>> 20) & 0xff) << 20));
    i32[outer + 1] = swap16(total + shim) | (outerProtocol(dest, ipv4.IPV6) << 16) | hops;
    for (let i = 0; i < 4; i++) i32[outer + 2 + i] = swap32(cached[row + SOURCE6 + i]!);
    for (let i = 0; i < 4; i++) i32[outer + 6 + i] = swap32(cached[row + ADDRESS6 + i]!);
    return (outer << 2) - IP;
  }

  /**
   * Writes the header of gre or gue in front of word `inner`, without a checksum. `addresses`: both
   * of the packet, combined by XOR in network byte order. Returns its length in bytes.
   */
  function writeShim(
    inner: number,
    total: number,
    { tunnelKind, tunnelPort }: Destination,
    ports: number,
    addresses: number,
    type: number,
  ): number {
    if (tunnelKind === TunnelKind.ipip) return 0;
    if (tunnelKind === TunnelKind.gre) {
      i32[inner - 1] = swap16(type === ipv4.IPIP ? ethernet.TYPE_IPV4 : ethernet.TYPE_IPV6) << 16;
      return GRE;
    }
    i32[inner - 1] = type << 8;
    i32[inner - 2] = swap16(UDP + GUE + total);
    const port = flowPort(swap32(addresses), ports >>> 16, ports & 0xffff);
    i32[inner - 3] = swap16(port) | (swap16(tunnelPort) << 16);
    return UDP + GUE;
  }

  function transmit(frame: number, length: number, to: number, type: number): void {
    const { output } = links[cached[to + DEVICE]!]!;
    u16[frame >> 1] = cached[to + HEADER]!;
    i32[(frame + 2) >> 2] = cached[to + HEADER + 1]!;
    i32[(frame + 6) >> 2] = cached[to + HEADER + 2]!;
    i32[(frame + 10) >> 2] = cached[to + type]!;
    output.offsets[output.n] = frame;
    output.lengths[output.n++] = length;
  }

  return {
    decrementTtl,
    decrementHopLimit,
    setAddress,
    setAddress6,
    setPort,
    encapsulate4,
    encapsulate6,
    transmit,
  };
}

/** The protocol that an outer header names. `inner`: the number of the packet's own protocol. */
function outerProtocol({ tunnelKind }: Destination, inner: number): number {
  if (tunnelKind === TunnelKind.ipip) return inner;
  return tunnelKind === TunnelKind.gre ? ipv4.GRE : ipv4.UDP;
}

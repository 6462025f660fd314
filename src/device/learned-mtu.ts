/**
 * MTUs of paths, learned from ICMP errors that leave by a device. A capture by libpcap has merged
 * packets of a TCP sender (GSO) without the length that the sender had chosen for each. A sender
 * that was told of a smaller MTU keeps to it, and so must whoever cuts its packets.
 *
 *     client ─ 1500 ─► director ─ tunnel, 1480 ─► realserver
 *            ◄─ ICMP: 1480 to the VIP ─┘      noted: client > VIP: 1480
 */
import * as ethernet from '../wire/ethernet.js';
import * as icmp from '../wire/icmp.js';
import * as icmp6 from '../wire/icmp6.js';
import * as ipv4 from '../wire/ipv4.js';
import * as ipv6 from '../wire/ipv6.js';

const IP = ethernet.HEADER;
/** Paths; when there are more, all are forgotten: the next error teaches them again. */
const MOST = 4096;
/** The smallest MTU of IPv4 (RFC 791). A smaller one is a lie or from a router that names none. */
const LEAST = 68;
const ADDRESSES = { 4: { at: ipv4.SRC, bytes: 8 }, 6: { at: ipv6.SRC, bytes: 32 } } as const;

export class LearnedMtus {
  /** By source and destination address. */
  private readonly mtus = new Map<string, number>();

  /** Notes the MTU where the frame of `length` bytes at `at` is such an error. */
  note(bytes: Uint8Array, view: DataView, at: number, length: number): void {
    const ip = at + IP;
    const type = length < IP + ipv4.HEADER ? 0 : ethernet.type(view, at);
    if (type === ethernet.TYPE_IPV4 && ipv4.protocol(view, ip) === ipv4.ICMP)
      this.noteError(4, bytes, view, ip + ipv4.headerLen(view, ip), at + length);
    else if (type === ethernet.TYPE_IPV6 && ipv6.nextHeader(view, ip) === ipv6.ICMP6)
      this.noteError(6, bytes, view, ip + ipv6.HEADER, at + length);
  }

  private noteError(family: 4 | 6, bytes: Uint8Array, view: DataView, l4: number, end: number): void {
    const inner = l4 + icmp.HEADER;
    if (inner + ipv6.HEADER > end && (family === 6 || inner + ipv4.HEADER > end)) return;
    const tooBig =
      family === 4
        ? icmp.type(view, l4) === icmp.UNREACHABLE && icmp.code(view, l4) === icmp.FRAGMENTATION_NEEDED
        : icmp.type(view, l4) === icmp6.PACKET_TOO_BIG;
    const mtu = family === 4 ? icmp.mtu(view, l4) : icmp6.mtu(view, l4);
    if (!tooBig || mtu < LEAST) return;
    if (this.mtus.size >= MOST) this.mtus.clear();
    this.mtus.set(pathOf(family, bytes, inner), mtu);
  }

  /** The MTU for the packet whose IP header is at `ip`; undefined: none was learned. */
  find(family: 4 | 6, bytes: Uint8Array, ip: number): number | undefined {
    return this.mtus.size === 0 ? undefined : this.mtus.get(pathOf(family, bytes, ip));
  }
}

function pathOf(family: 4 | 6, bytes: Uint8Array, ip: number): string {
  const { at, bytes: length } = ADDRESSES[family];
  return String.fromCharCode(...bytes.subarray(ip + at, ip + at + length));
}

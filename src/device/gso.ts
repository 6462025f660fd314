/**
 * Segments a GSO packet (TSO or GRO merged up to 64 KiB into one packet) into frames that fit on
 * the wire, as skb_segment of the kernel does.
 *
 *     ring:   | Ethernet IP TCP | payload ........................................ |
 *     Umem:   | Ethernet IP TCP | gsoSize |   | Eth IP TCP | gsoSize |   | Eth IP TCP | rest |
 *               id    seq   -FIN -PSH         id+1  seq+gsoSize -CWR     id+2           FIN PSH kept
 *
 * `begin` measures one packet, and each `next` makes one frame of it. The packet stays in the ring
 * meanwhile. So a later rx() can go on with the packet when the batch or the Umem was full.
 */

import { memcpyAt } from '../sys/memory.js';
import { GSO_ECN, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4 } from '../sys/packet-socket.js';
import { finish, pseudo4, pseudo6, sum } from '../wire/checksum.js';
import { HEADER, TYPE_QINQ, TYPE_VLAN } from '../wire/ethernet.js';
import { TCP, UDP } from '../wire/ipv4.js';
import { CWR, FIN, PSH } from '../wire/tcp.js';
import { TAG } from '../wire/vlan.js';
import type { Umem } from './umem.js';

/** Flags that only the last segment has. CWR is on the first segment only (RFC 3168, 6.1.2). */
const FIN_PSH = FIN | PSH;

export class Segmenter {
  /** Payload bytes that are still to be segmented; 0 when there is no packet. */
  left = 0;
  private source = 0;
  private headerLen = 0;
  private l3 = 0;
  private l4 = 0;
  private gsoSize = 0;
  private done = 0;
  private index = 0;
  private tagged = 0;
  private isV4 = false;
  private isTcp = false;

  constructor(
    private readonly umem: Umem,
    private readonly umemAddress: number,
    private readonly ring: Uint8Array,
    private readonly ringAddress: number,
  ) {}

  /**
   * Begins with the packet of `len` bytes at offset `source` of the ring. `gsoType` and `gsoSize`
   * are those of virtio_net_hdr: VIRTIO_NET_HDR_GSO_*, and the payload bytes of a segment. `l4`:
   * offset of the transport header; 0 when the IP header says it. `tagged`: leaves room for a VLAN
   * tag, which the caller writes. Returns false when the packet cannot be segmented: unknown type,
   * incomplete headers, or segments longer than a frame.
   */
  begin(source: number, len: number, gsoType: number, gsoSize: number, l4: number, tagged: boolean): boolean {
    const type = gsoType & ~GSO_ECN;
    if (gsoSize === 0 || (type !== GSO_TCPV4 && type !== GSO_TCPV6 && type !== GSO_UDP_L4)) return false;
    this.isTcp = type !== GSO_UDP_L4;
    if (!this.measure(source, len, l4)) return false;
    this.source = source;
    this.tagged = tagged ? TAG : 0;
    this.gsoSize = gsoSize;
    if (this.headerLen + this.tagged + gsoSize > this.umem.capacity) return false;
    this.left = len - this.headerLen;
    this.done = 0;
    this.index = 0;
    return true;
  }

  /** Finds the headers. Returns false when one is incomplete, or when no payload follows. */
  private measure(source: number, len: number, l4: number): boolean {
    const { ring } = this;
    let l3 = HEADER;
    for (let type = this.ether(source + 12); isTag(type); type = this.ether(source + l3 - 2)) {
      l3 += TAG;
      if (l3 > HEADER + 2 * TAG) return false;
    }
    this.l3 = l3;
    this.isV4 = ring[source + l3]! >> 4 === 4;
    if (!this.isV4 && this.ether(source + l3 + 4) === 0) return false; // jumbogram (BIG TCP, over 64 KiB)
    const ipLen = this.isV4 ? (ring[source + l3]! & 15) << 2 : 40;
    this.l4 = l4 > 0 ? l4 : l3 + ipLen;
    if (this.l4 < l3 + ipLen || this.l4 + 20 > len) return false;
    this.headerLen = this.l4 + (this.isTcp ? (ring[source + this.l4 + 12]! >> 4) << 2 : 8);
    return this.headerLen >= this.l4 + (this.isTcp ? 20 : 8) && this.headerLen < len;
  }

  private ether(at: number): number {
    return (this.ring[at]! << 8) | this.ring[at + 1]!;
  }

  /**
   * Writes the next segment to the frame at offset `frame` of the Umem. Returns its length in
   * bytes.
   */
  next(frame: number): number {
    const payload = Math.min(this.left, this.gsoSize);
    const to = this.umemAddress + frame;
    const from = this.ringAddress + this.source;
    const header = this.headerLen + this.tagged;
    memcpyAt(to, from, 12);
    memcpyAt(to + this.tagged + 12, from + 12, this.headerLen - 12);
    memcpyAt(to + header, from + this.headerLen + this.done, payload);
    this.left -= payload;
    this.patchIp(frame + this.tagged + this.l3, header + payload - this.tagged - this.l3);
    this.patchTransport(frame + this.tagged, payload);
    this.done += payload;
    this.index++;
    return header + payload;
  }

  /** Sets length, id and header checksum of the IP header at `ip`. */
  private patchIp(ip: number, len: number): void {
    const { view } = this.umem;
    if (!this.isV4) {
      view.setUint16(ip + 4, len - 40);
      return;
    }
    view.setUint16(ip + 2, len);
    view.setUint16(ip + 4, (view.getUint16(ip + 4) + this.index) & 0xffff);
    view.setUint16(ip + 10, 0);
    view.setUint16(ip + 10, finish(sum(view, ip, this.l4 - this.l3)));
  }

  private patchTransport(frame: number, payload: number): void {
    const { view } = this.umem;
    const at = frame + this.l4;
    const len = this.headerLen - this.l4 + payload;
    const field = at + (this.isTcp ? 16 : 6);
    if (this.isTcp) this.patchTcp(at);
    else view.setUint16(at + 4, len);
    view.setUint16(field, 0);
    const result = finish(sum(view, at, len, this.pseudo(frame + this.l3, len)));
    view.setUint16(field, result === 0 && !this.isTcp ? 0xffff : result);
  }

  private patchTcp(at: number): void {
    const { view, u8 } = this.umem;
    view.setUint32(at + 4, view.getUint32(at + 4) + this.done);
    let flags = u8[at + 13]!;
    if (this.left > 0) flags &= ~FIN_PSH;
    if (this.index > 0) flags &= ~CWR;
    u8[at + 13] = flags;
  }

  private pseudo(ip: number, len: number): number {
    const { view } = this.umem;
    const protocol = this.isTcp ? TCP : UDP;
    if (this.isV4) return pseudo4(view.getInt32(ip + 12), view.getInt32(ip + 16), protocol, len);
    return pseudo6(view, ip + 8, ip + 24, protocol, len);
  }
}

function isTag(etherType: number): boolean {
  return etherType === TYPE_VLAN || etherType === TYPE_QINQ;
}

/**
 * virtio_net_hdr of a packet that a large frame holds (large-frames.ts), for a packet socket or a
 * tap: who takes the packet cuts it and completes the checksums.
 *
 *     | flags 1 | gso type 1 | header length 2 | gso size 2 | csum start 2 | csum offset 2 | Ethernet …
 *     ^ frame − 10                             in the byte order of the machine            ^ frame
 */
import { GSO_UDP_L4, VNET, VNET_NEEDS_CSUM } from '../sys/packet-socket.js';
import { fold, pseudo4, pseudo6 } from '../wire/checksum.js';
import { HEADER } from '../wire/ethernet.js';
import * as ipv4 from '../wire/ipv4.js';
import * as ipv6 from '../wire/ipv6.js';
import * as tcp from '../wire/tcp.js';
import * as udp from '../wire/udp.js';
import type { Umem } from './umem.js';

const TCP_FIELD = 16;
const UDP_FIELD = 6;

/**
 * Takes over what the header in front of a received GSO packet says; the packet lies in a large
 * frame.
 */
export function readGsoHeader({ u16, u8, large }: Umem, frame: number): void {
  const at = frame - VNET.length;
  const needsChecksum = (u8[at + VNET.flags]! & VNET_NEEDS_CSUM) !== 0;
  const l4 = needsChecksum ? u16[(at + VNET.csumStart) >> 1]! : 0;
  large.setGso(frame, u8[at + VNET.gsoType]!, u16[(at + VNET.gsoSize) >> 1]!, l4);
}

/**
 * Writes the header in front of the frame, and the sum of the pseudo header into the checksum
 * field. The frame is untagged; its IP header has no options and no extension headers, as all that
 * the fast path forwards.
 */
export function writeGsoHeader(umem: Umem, frame: number, len: number): void {
  const { u16, u8, view, large } = umem;
  const ip = frame + HEADER;
  const isV4 = u8[ip]! >> 4 === 4;
  const l4 = ip + (isV4 ? ipv4.HEADER : ipv6.HEADER);
  const isUdp = large.gsoType(frame) === GSO_UDP_L4;
  const field = isUdp ? UDP_FIELD : TCP_FIELD;
  const at = frame - VNET.length;
  u8[at + VNET.flags] = VNET_NEEDS_CSUM;
  u8[at + VNET.gsoType] = large.gsoType(frame);
  u16[(at + VNET.headerLen) >> 1] = l4 - frame + (isUdp ? udp.HEADER : tcp.headerLen(view, l4));
  u16[(at + VNET.gsoSize) >> 1] = large.gsoSize(frame);
  u16[(at + VNET.csumStart) >> 1] = l4 - frame;
  u16[(at + VNET.csumOffset) >> 1] = field;
  view.setUint16(l4 + field, pseudoSum(umem, ip, isV4, isUdp ? ipv4.UDP : ipv4.TCP, frame + len - l4));
}

function pseudoSum({ view }: Umem, ip: number, isV4: boolean, protocol: number, len: number): number {
  return fold(
    isV4
      ? pseudo4(ipv4.src(view, ip), ipv4.dst(view, ip), protocol, len)
      : pseudo6(view, ip + ipv6.SRC, ip + ipv6.DST, protocol, len),
  );
}

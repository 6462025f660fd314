/**
 * Partial checksums (CHECKSUM_PARTIAL of linux/skbuff.h), completed in place. A sender on this
 * machine leaves the checksum to the hardware: the field holds the sum of the pseudo header only.
 */

import { finish as checksum, pseudo4, pseudo6, sum } from '../wire/checksum.js';
import { crc32c } from '../wire/crc32c.js';
import { HEADER, TYPE_IPV4, TYPE_IPV6 } from '../wire/ethernet.js';
import { SCTP, TCP, UDP } from '../wire/ipv4.js';

const TCP_FIELD = 16;
const UDP_FIELD = 6;
/**
 * A field at byte 8 is SCTP's, a CRC32c (RFC 9260, 6.8): no other transport with partial checksums
 * has it there.
 */
const SCTP_FIELD = 8;
const MORE_OR_OFFSET = 0x3fff;

/**
 * Completes the checksum that VIRTIO_NET_HDR_F_NEEDS_CSUM announces. The field at `start + field`
 * holds the sum of the pseudo header; it becomes the checksum of the bytes from `start` to `end`. A
 * result of 0 is written as 0xffff, as skb_checksum_help does. Returns false when the field is not
 * inside the frame.
 */
export function completeChecksum(view: DataView, start: number, field: number, end: number): boolean {
  const at = start + field;
  if (at + (field === SCTP_FIELD ? 4 : 2) > end) return false;
  if (field === SCTP_FIELD) {
    view.setInt32(at, 0);
    view.setInt32(at, crc32c(view, start, end - start), true);
  } else view.setUint16(at, checksum(sum(view, start, end - start)) || 0xffff);
  return true;
}

/**
 * Completes a partial checksum that nothing announces (libpcap, XDP). A field that holds exactly
 * the sum of the pseudo header is taken for partial; with SCTP a field of 0. A correct checksum of
 * the same value stays as it is. Looks at untagged, unfragmented TCP, UDP and SCTP over IPv4 and
 * IPv6. `frame`: offset of the Ethernet header; `len` in bytes. Returns true when a checksum was
 * completed.
 */
export function completeIfPartial(view: DataView, frame: number, len: number): boolean {
  const ip = frame + HEADER;
  if (len < HEADER + 20) return false;
  const type = view.getUint16(frame + 12);
  if (type === TYPE_IPV4) return complete4(view, ip, frame + len);
  return type === TYPE_IPV6 && len >= HEADER + 40 && complete6(view, ip, frame + len);
}

function complete4(view: DataView, ip: number, limit: number): boolean {
  if ((view.getUint16(ip + 6) & MORE_OR_OFFSET) !== 0) return false;
  const l4 = ip + ((view.getUint8(ip) & 15) << 2);
  const end = ip + view.getUint16(ip + 2);
  const protocol = view.getUint8(ip + 9);
  const pseudo = pseudo4(view.getInt32(ip + 12), view.getInt32(ip + 16), protocol, end - l4);
  return end <= limit && completeField(view, l4, end, protocol, pseudo);
}

function complete6(view: DataView, ip: number, limit: number): boolean {
  const l4 = ip + 40;
  const end = l4 + view.getUint16(ip + 4);
  const protocol = view.getUint8(ip + 6);
  return end <= limit && completeField(view, l4, end, protocol, pseudo6(view, ip + 8, ip + 24, protocol, end - l4));
}

function completeField(view: DataView, l4: number, end: number, protocol: number, pseudo: number): boolean {
  if (protocol === SCTP)
    return l4 + 12 <= end && view.getInt32(l4 + SCTP_FIELD) === 0 && completeChecksum(view, l4, SCTP_FIELD, end);
  if (protocol !== TCP && protocol !== UDP) return false;
  const field = protocol === TCP ? TCP_FIELD : UDP_FIELD;
  if (l4 + field + 2 > end) return false;
  // checksum() inverts the sum; the field holds the sum itself.
  return view.getUint16(l4 + field) === (~checksum(pseudo) & 0xffff) && completeChecksum(view, l4, field, end);
}

/** Checksums that a local sender left to the hardware, and which are finished here, in place. */

import { finish as checksum, pseudo4, pseudo6, sum } from '../wire/checksum.js';
import { crc32c } from '../wire/crc32c.js';
import { HEADER, TYPE_IPV4, TYPE_IPV6 } from '../wire/ethernet.js';
import { SCTP, TCP, UDP } from '../wire/ipv4.js';

const TCP_FIELD = 16;
const UDP_FIELD = 6;
/** Of the transports with an unfinished checksum only SCTP has its own at byte 8, and it is a CRC32c (RFC 9260, 6.8). */
const SCTP_FIELD = 8;
const MORE_OR_OFFSET = 0x3fff;

/**
 * Finishes what VIRTIO_NET_HDR_F_NEEDS_CSUM announces: the field at `start + field` holds the pseudo header's sum; it
 * becomes the checksum of the bytes from `start` to `end`, a result of 0 written as 0xffff as the kernel does.
 * False when the field does not lie inside the frame.
 */
export function finish(view: DataView, start: number, field: number, end: number): boolean {
  const at = start + field;
  if (at + (field === SCTP_FIELD ? 4 : 2) > end) return false;
  if (field === SCTP_FIELD) {
    view.setInt32(at, 0);
    view.setInt32(at, crc32c(view, start, end - start), true);
  } else view.setUint16(at, checksum(sum(view, start, end - start)) || 0xffff);
  return true;
}

/**
 * The same where nothing is announced (libpcap, XDP): a field that holds just the pseudo header's sum is unfinished, and
 * one of 0 with SCTP. A right checksum that happens to look so comes out as it was. For untagged, unfragmented TCP, UDP and
 * SCTP over IPv4 or IPv6; true if it finished one.
 */
export function finishByLooks(view: DataView, frame: number, len: number): boolean {
  const ip = frame + HEADER;
  if (len < HEADER + 20) return false;
  const type = view.getUint16(frame + 12);
  if (type === TYPE_IPV4) return finish4(view, ip, frame + len);
  return type === TYPE_IPV6 && len >= HEADER + 40 && finish6(view, ip, frame + len);
}

function finish4(view: DataView, ip: number, limit: number): boolean {
  if ((view.getUint16(ip + 6) & MORE_OR_OFFSET) !== 0) return false;
  const l4 = ip + ((view.getUint8(ip) & 15) << 2);
  const end = ip + view.getUint16(ip + 2);
  const protocol = view.getUint8(ip + 9);
  const pseudo = pseudo4(view.getInt32(ip + 12), view.getInt32(ip + 16), protocol, end - l4);
  return end <= limit && finishIf(view, l4, end, protocol, pseudo);
}

function finish6(view: DataView, ip: number, limit: number): boolean {
  const l4 = ip + 40;
  const end = l4 + view.getUint16(ip + 4);
  const protocol = view.getUint8(ip + 6);
  return end <= limit && finishIf(view, l4, end, protocol, pseudo6(view, ip + 8, ip + 24, protocol, end - l4));
}

function finishIf(view: DataView, l4: number, end: number, protocol: number, pseudo: number): boolean {
  if (protocol === SCTP)
    return l4 + 12 <= end && view.getInt32(l4 + SCTP_FIELD) === 0 && finish(view, l4, SCTP_FIELD, end);
  if (protocol !== TCP && protocol !== UDP) return false;
  const field = protocol === TCP ? TCP_FIELD : UDP_FIELD;
  if (l4 + field + 2 > end) return false;
  // checksum() inverts; what lies in the field is not inverted.
  return view.getUint16(l4 + field) === (~checksum(pseudo) & 0xffff) && finish(view, l4, field, end);
}

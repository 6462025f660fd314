/**
 * Frames from a capture that says nothing about offloads (libpcap): what a local sender left for the hardware to do is
 * recognised by its looks.
 *
 * - Checksum: a field that holds just the pseudo header's sum is unfinished. A right one that happens to look so (1 in
 *   65,536) is computed again to the same value.
 * - Super-packet: TCP longer than the interface's MTU cannot have come so from a wire.
 */
import { finish, fold, sum } from './checksum.js';
import type { Umem } from './umem.js';

const ETHERNET = 14;
const TCP = 6;
const UDP = 17;

/** Where the checksum field lies in the transport header, −1 for protocols we do not know. */
function checksumField(protocol: number): number {
  if (protocol === TCP) return 16;
  return protocol === UDP ? 6 : -1;
}

/** Finishes the transport checksum of an untagged, unfragmented IPv4 or IPv6 frame if it looks unfinished; true if it did. */
export function finishByLooks(umem: Umem, frame: number, len: number): boolean {
  const { u8, view, u16 } = umem;
  const ip = frame + ETHERNET;
  if (len < ETHERNET + 40) return false;
  const v4 = view.getUint16(ip - 2) === 0x0800;
  if (!v4 && view.getUint16(ip - 2) !== 0x86dd) return false;
  if (v4 && (view.getUint16(ip + 6) & 0x3fff) !== 0) return false;
  const l4 = ip + (v4 ? (u8[ip]! & 15) << 2 : 40);
  const end = ip + (v4 ? view.getUint16(ip + 2) : 40 + view.getUint16(ip + 4));
  const protocol = u8[ip + (v4 ? 9 : 6)]!;
  const field = checksumField(protocol);
  if (field < 0 || end > frame + len || l4 + field + 2 > end) return false;
  const size = end - l4;
  const pseudo = sum(umem, ip + (v4 ? 12 : 8), v4 ? 8 : 32) + (protocol << 8) + (((size & 0xff) << 8) | (size >> 8));
  return u16[(l4 + field) >> 1] === (~fold(pseudo) & 0xffff) && finish(umem, l4, field, end);
}

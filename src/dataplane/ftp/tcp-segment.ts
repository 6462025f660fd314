/** A TCP segment whose payload a helper reads and changes: payload, lengths, checksum. */
import { pseudo4, pseudo6 } from '../../wire/checksum.js';
import * as ipv4 from '../../wire/ipv4.js';
import * as ipv6 from '../../wire/ipv6.js';
import * as tcp from '../../wire/tcp.js';
import type { Director } from '../director.js';

const LONGEST = 65535;

export function isIntact(d: Director): boolean {
  const p = d.packet;
  return tcp.isChecksumGood(d.umem.view, p.l4, p.l4len, pseudo(d));
}

/** Absolute offset of the payload, 0 without one. */
export function payloadAt(d: Director): number {
  const p = d.packet;
  const header = tcp.headerLen(d.umem.view, p.l4);
  return header < tcp.HEADER || header >= p.l4len ? 0 : p.l4 + header;
}

/**
 * Replaces `length` bytes at the offset `at` by `text` (ASCII), and corrects lengths and checksums.
 * Returns false when the frame has no room.
 */
export function replace(d: Director, at: number, length: number, text: string): boolean {
  const p = d.packet;
  const { u8 } = d.umem;
  const end = p.l4 + p.l4len;
  const by = text.length - length;
  if (end + by > limitOf(d)) return false;
  u8.copyWithin(at + text.length, at + length, end);
  for (let i = 0; i < text.length; i++) u8[at + i] = text.charCodeAt(i);
  p.len += by;
  p.l3len += by;
  p.l4len += by;
  writeLengths(d);
  return true;
}

/**
 * Offset at which the packet must end: the end of its frame, or of the stretch for reassembled
 * datagrams.
 */
function limitOf(d: Director): number {
  const p = d.packet;
  const { frameSize } = d.umem;
  return p.parts === 0 ? (p.frame & ~(frameSize - 1)) + frameSize : p.l3 + LONGEST;
}

function writeLengths(d: Director): void {
  const p = d.packet;
  const { view } = d.umem;
  if (p.family === 4) ipv4.rewriteTotalLen(view, p.l3, p.l3len);
  else ipv6.setPayloadLen(view, p.l3, p.l3len - ipv6.HEADER);
  tcp.fillChecksum(view, p.l4, p.l4len, pseudo(d));
}

function pseudo(d: Director): number {
  const { family, src, dst, l3, l4len } = d.packet;
  if (family === 4) return pseudo4(src, dst, ipv4.TCP, l4len);
  return pseudo6(d.umem.view, l3 + ipv6.SRC, l3 + ipv6.DST, ipv4.TCP, l4len);
}

/** A RST in answer to the current packet. */

import * as ethernet from '../../wire/ethernet.js';
import type { Director } from '../director.js';
import { neighbourOutput } from '../output/neighbour-output.js';
import { fillEndsOfPacket, Segment, segmentLength, writeSegment } from '../output/segment.js';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../parse/packet.js';

const segment = new Segment();

/**
 * RFC 9293, 3.5.2: a RST answers everything but a RST. It acknowledges the segment, or takes the
 * acknowledged number as its own.
 */
export function reset(d: Director): void {
  const p = d.packet;
  if ((p.tcpFlags & TCP_RST) !== 0) return;
  const hop = p.family === 4 ? d.router.lookup4(p.src, p.dst, 0) : d.router.lookup6(p.src6, p.dst6, 0);
  if (hop < 0) return;
  const { view } = d.umem;
  const acknowledges = (p.tcpFlags & TCP_ACK) === 0;
  const headerLen = (view.getUint8(p.l4 + 12) >>> 4) << 2;
  const consumed = p.l4len - headerLen + (p.tcpFlags & TCP_SYN ? 1 : 0) + (p.tcpFlags & TCP_FIN ? 1 : 0);
  fillEndsOfPacket(d, segment, true);
  segment.seq = acknowledges ? 0 : view.getInt32(p.l4 + 8);
  segment.ack = acknowledges ? view.getInt32(p.l4 + 4) + consumed : 0;
  segment.flags = TCP_RST | (acknowledges ? TCP_ACK : 0);
  const frame = writeSegment(d, segment);
  if (frame >= 0) neighbourOutput(d, hop, frame, segmentLength(segment), ethernet.type(view, frame), true);
}

/** Segments that the director makes in the name of one end of a connection. */
import { FrameStat } from '../../stats/counters.js';
import * as ethernet from '../../wire/ethernet.js';
import type { Director } from '../director.js';
import { neighbourOutput } from '../output/neighbour-output.js';
import { type Segment, segmentLength, writeSegment } from '../output/segment.js';
import { parse } from '../parse/parse.js';

/** Sends a segment from the virtual address to the client. */
export function sendToClient(d: Director, s: Segment): void {
  const hop = s.family === 4 ? d.router.lookup4(s.dst, s.src, 0) : d.router.lookup6(s.dst6, s.src6, 0);
  const frame = hop < 0 ? -1 : writeSegment(d, s);
  if (frame >= 0) neighbourOutput(d, hop, frame, segmentLength(s), ethernet.type(d.umem.view, frame), true);
}

/**
 * Makes a segment the current packet, as if the client had sent it. It counts as a received frame.
 * Returns false when no frame is free.
 */
export function receiveFromClient(d: Director, s: Segment): boolean {
  const frame = writeSegment(d, s);
  if (frame < 0) return false;
  const length = segmentLength(s);
  d.counters.values[FrameStat.in]!++;
  d.counters.values[FrameStat.inBytes]! += length;
  parse(d.umem.view, frame, length, d.packet);
  return true;
}

/**
 * Neighbour output (the kernel's neigh_output): writes the Ethernet header and queues the frame on
 * its link. While the neighbour is being resolved the frame waits with it.
 */

import { FrameStat } from '../../stats/counters.js';
import { Drop } from '../../stats/drops.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import * as ethernet from '../../wire/ethernet.js';
import type { Director } from '../director.js';
import type { Neighbour, Waiting } from '../table/neighbour.js';

/**
 * `frame` and `len`: the whole frame; its Ethernet header is written here. `originated`: the
 * director made the frame. The verdict is the frame's: one that the director made decides nothing
 * about the current packet.
 */
export function neighbourOutput(
  d: Director,
  id: number,
  frame: number,
  len: number,
  type: number,
  originated: boolean,
): FinalVerdict {
  const neighbour = d.neighbours.all[id]!;
  ethernet.setType(d.umem.view, frame, type);
  d.traced?.noteNeighbour(neighbour, originated);
  if (neighbour.usable) {
    neighbour.used = true;
    return addressAndEnqueue(d, neighbour, frame, len, originated);
  }
  if (!d.neighbours.want(neighbour, d.now)) return dropOutput(d, frame, len, originated, Drop.neighbourFailed);
  if (neighbour.full || d.neighbours.waiting >= d.umem.frameCount >> 2)
    return dropOutput(d, frame, len, originated, Drop.neighbourQueue);
  neighbour.waiting.push({ frame, len, originated, traced: originated ? undefined : d.traced?.noteWait() });
  d.neighbours.waiting++;
  return Verdict.waiting;
}

function addressAndEnqueue(
  d: Director,
  neighbour: Neighbour,
  frame: number,
  len: number,
  originated: boolean,
): FinalVerdict {
  const link = d.links[neighbour.device]!;
  const { view } = d.umem;
  ethernet.setDst(view, frame, neighbour.macHi, neighbour.macLo);
  ethernet.setSrc(view, frame, link.mac[0], link.mac[1]);
  return enqueue(d, neighbour.device, frame, len, originated);
}

/** Queues a complete frame on a link's output. Full: the frame is dropped. */
export function enqueue(d: Director, device: number, frame: number, len: number, originated: boolean): FinalVerdict {
  if (!d.links[device]!.output.push(frame, len)) return dropOutput(d, frame, len, originated, Drop.txFull);
  d.traced?.noteOut(device, frame, len, originated);
  const { values } = d.counters;
  values[originated ? FrameStat.originated : FrameStat.forwarded]!++;
  values[FrameStat.out]!++;
  values[FrameStat.outBytes]! += len;
  return Verdict.forwarded;
}

/** Drops a frame that cannot leave. Only a received frame is counted. */
export function dropOutput(
  d: Director,
  frame: number,
  len: number,
  originated: boolean,
  reason: number,
): typeof Verdict.dropped {
  if (!originated) {
    d.traced?.noteDrop(reason);
    d.counters.drop(reason, len);
  }
  d.umem.free(frame);
  return Verdict.dropped;
}

/** Sends the frames that waited for the neighbour, in their order. */
export function releaseWaiting(d: Director, neighbour: Neighbour): void {
  // They have records of their own, beside that of the current packet, such as a reply to ARP.
  const { traced } = d;
  d.traced = undefined;
  for (const waiting of neighbour.waiting) release(d, neighbour, waiting);
  d.traced = traced;
  forgetWaiting(d, neighbour);
}

function release(d: Director, neighbour: Neighbour, { frame, len, originated, traced }: Waiting): void {
  if (addressAndEnqueue(d, neighbour, frame, len, originated) === Verdict.dropped) traced?.dropped(Drop.txFull);
  else traced?.left(neighbour, frame, len);
}

/** Drops the frames that waited: the neighbour did not answer. */
export function dropWaiting(d: Director, neighbour: Neighbour): void {
  for (const { frame, len, originated, traced } of neighbour.waiting) {
    dropOutput(d, frame, len, originated, Drop.neighbourFailed);
    traced?.dropped(Drop.neighbourFailed);
  }
  forgetWaiting(d, neighbour);
}

function forgetWaiting(d: Director, neighbour: Neighbour): void {
  d.neighbours.waiting -= neighbour.waiting.length;
  neighbour.waiting.length = 0;
}

/** Passes frames that are not the director's to the host's own stack. */
import { FrameStat } from '../../stats/counters.js';
import { type FinalVerdict, Verdict } from '../../stats/verdict.js';
import type { Director } from '../director.js';
import { enqueue } from '../output/neighbour-output.js';
import { deliverRefragmented } from '../output/refragment.js';
import { freeAssembled } from '../output/verdict.js';
import { isIntercepted } from './intercepted.js';

/**
 * Passes the current packet. Where the host's stack has seen the frame, the director's copy is
 * freed. An intercepted frame is given back through the TUN device.
 */
export function pass(d: Director): FinalVerdict {
  const p = d.packet;
  d.traced?.noteVerdict('passed');
  const back = d.hostLink !== undefined && p.family !== 0 && isIntercepted(d);
  if (p.parts !== 0 && back) return deliverRefragmented(d, d.hostLink!.index, Verdict.passed);
  if (p.parts !== 0) freeAssembled(d, Verdict.passed);
  else {
    d.counters.count(FrameStat.passed);
    if (!back) d.umem.free(p.frame);
    else enqueue(d, d.hostLink!.index, p.frame, p.len, true);
  }
  return Verdict.passed;
}

/**
 * Verdicts: what became of the current packet, as the kernel's hooks return NF_ACCEPT, NF_DROP and
 * NF_STOLEN. Every function of the packet path that takes a packet returns one. A step that is not
 * concerned returns `Verdict.none`, and the next step is asked.
 *
 *      none                     no verdict yet: the next step decides
 *      forwarded                queued on a link's output (neighbour-output.ts)
 *      delivered                consumed here, or given to the host's stack as its own (host/local.ts)
 *      passed                   not the director's: left or given back to the host's stack (host/pass.ts)
 *      dropped                  freed, with a reason
 *      waiting                  kept until its neighbour is resolved (neighbour-output.ts)
 *      held                     a fragment, kept until the others arrive (path/defrag.ts)
 *      handedOff                given to the worker that owns its client (workers/dispatch.ts)
 *
 * The first four count under their number in FrameStat. A reassembled packet's verdict counts for
 * each frame that it arrived in; those that leave as fragments each count on their own.
 */
import { FrameStat } from '../../stats/counters.js';

export const Verdict = {
  none: 0,
  forwarded: FrameStat.forwarded,
  delivered: FrameStat.delivered,
  passed: FrameStat.passed,
  dropped: FrameStat.dropped,
  waiting: 32,
  held: 33,
  handedOff: 34,
} as const;

/** What a step of the packet path returns: a verdict, or `none`. */
export type Verdict = (typeof Verdict)[keyof typeof Verdict];
/** What a last step returns: the packet has its verdict. */
export type FinalVerdict = Exclude<Verdict, typeof Verdict.none>;

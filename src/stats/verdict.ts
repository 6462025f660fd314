/**
 * Verdicts: what became of a packet, as the kernel's hooks return NF_ACCEPT, NF_DROP and NF_STOLEN.
 * Every function of the packet path that takes a packet returns one. A step that a packet does not
 * concern returns `none`, and the next step decides.
 *
 *      none                     no verdict yet
 *      forwarded                queued on a link's output (dataplane/output/neighbour-output.ts)
 *      delivered                consumed by the director, or given to the host's stack (dataplane/host/local.ts)
 *      passed                   left or given back to the host's stack (dataplane/host/pass.ts)
 *      dropped                  freed, with a reason (drops.ts)
 *      waiting                  kept until its neighbour is resolved (dataplane/output/neighbour-output.ts)
 *      held                     a fragment, kept until the others arrive (dataplane/path/defrag.ts)
 *      handedOff                given to the worker that owns its client (dataplane/workers/dispatch.ts)
 *
 * The first four finals count under their number in FrameStat.
 */
import { FrameStat } from './counters.js';

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

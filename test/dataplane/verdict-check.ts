/** Whether the verdict that the packet path returns of a frame is the one that was counted. */
import { expect } from 'vitest';
import type { Director } from '../../src/dataplane/director.js';
import { FrameStat } from '../../src/stats/counters.js';
import { type FinalVerdict, Verdict } from '../../src/stats/verdict.js';

/** How many frames have each verdict so far. Waiting and held frames are in no counter; handed-off ones have left `in`. */
function counts(d: Director): Record<FinalVerdict, number> {
  const { values } = d.counters;
  const waiting = d.neighbours.all.flatMap((one) => one.waiting).filter(({ originated }) => !originated).length;
  return {
    [Verdict.forwarded]: values[FrameStat.forwarded]!,
    [Verdict.delivered]: values[FrameStat.delivered]!,
    [Verdict.passed]: values[FrameStat.passed]!,
    [Verdict.dropped]: values[FrameStat.dropped]!,
    [Verdict.waiting]: waiting,
    [Verdict.held]: d.fragments.held,
    [Verdict.handedOff]: -values[FrameStat.in]!,
  };
}

/** Takes one frame by `take`: the count of its verdict must grow, and no frame may be lost or counted twice. */
export function checked(d: Director, take: () => FinalVerdict): FinalVerdict {
  const before = counts(d);
  const verdict = take();
  const after = counts(d);
  if (verdict === Verdict.handedOff) expect(after[verdict]).toBeGreaterThanOrEqual(before[verdict]);
  else expect(after[verdict], `verdict ${verdict}`).toBeGreaterThan(before[verdict]);
  expect(
    Object.values(after).reduce((sum, count) => sum + count),
    'frames that came in have one verdict each',
  ).toBe(0);
  return verdict;
}

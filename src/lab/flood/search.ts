/**
 * The highest rate at which less than TOLERATED is lost: from what passes when all comes that can be made, by halving.
 *
 *     0 ─────────────── lossless ┄┄┄┄┄ ? ┄┄┄┄┄ too much ──────────── all that can be made
 */
import { inRate, loss, outRate, type Passage } from './flood.js';

export const TOLERATED = 0.001;
const STEPS = 7;
/** The interval is small enough when its ends differ by so much. */
const CLOSE = 0.03;
/** A flood that was asked for more than it can be was as fast as it can be. */
const MET = 0.97;

export interface Found {
  /** In the order they were made. */
  readonly passages: readonly Passage[];
  /** undefined: even the slowest lost more. */
  readonly best: Passage | undefined;
}

export const isLossless = (passage: Passage) => passage.sent > 0 && loss(passage) < TOLERATED;

/** `run` makes one passage at a rate, 0 for all that can be made. At most STEPS + 1 of them. */
export async function search(run: (rate: number) => Promise<Passage>): Promise<Found> {
  const passages = [await run(0)];
  const [all] = passages as [Passage];
  if (isLossless(all)) return { passages, best: all };
  let best: Passage | undefined;
  let [low, high, rate] = [0, inRate(all), Math.round(outRate(all) * (1 - CLOSE))];
  for (let step = 0; step < STEPS && rate > 0 && high - low > CLOSE * high; step++) {
    const passage = await run(rate);
    passages.push(passage);
    if (isLossless(passage)) {
      best = passage;
      if (inRate(passage) < MET * rate) break;
      low = rate;
    } else high = rate;
    rate = Math.round((low + Math.min(high, 2 * low || high)) / 2);
  }
  return { passages, best };
}

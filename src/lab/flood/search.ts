/**
 * Searches by bisection for the highest rate at which less than TOLERATED_LOSS is lost. Starts with
 * what arrives when the generator sends as fast as possible.
 *
 *     0 ─────────────── lossless ┄┄┄┄┄ ? ┄┄┄┄┄ too much ──────────── all that can be made
 */
import { type FloodRun, inRate, loss, outRate } from './flood.js';

export const TOLERATED_LOSS = 0.001;
const STEPS = 7;
/** The search ends when the ends of the interval differ by less than this share. */
const CLOSE_ENOUGH = 0.03;
/** A run below this share of its requested rate was as fast as the generator can be. */
const RATE_REACHED = 0.97;

export interface Found {
  /** In the order in which they were made. */
  readonly runs: readonly FloodRun[];
  /** Undefined if even the slowest run lost too much. */
  readonly best: FloodRun | undefined;
}

export const isLossless = (result: FloodRun) => result.sent > 0 && loss(result) < TOLERATED_LOSS;

/**
 * Runs the search; `run` makes one run at a rate (0: as fast as possible). At most STEPS + 1 runs.
 */
export async function search(run: (rate: number) => Promise<FloodRun>): Promise<Found> {
  const runs = [await run(0)];
  const [all] = runs as [FloodRun];
  if (isLossless(all)) return { runs, best: all };
  let best: FloodRun | undefined;
  let [low, high, rate] = [0, inRate(all), Math.round(outRate(all) * (1 - CLOSE_ENOUGH))];
  for (let step = 0; step < STEPS && rate > 0 && high - low > CLOSE_ENOUGH * high; step++) {
    const result = await run(rate);
    runs.push(result);
    if (isLossless(result)) {
      best = result;
      if (inRate(result) < RATE_REACHED * rate) break;
      low = rate;
    } else high = rate;
    rate = Math.round((low + Math.min(high, 2 * low || high)) / 2);
  }
  return { runs, best };
}

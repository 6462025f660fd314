import { type Destination, eligible } from '../service/service.js';

/**
 * The eligible destination with the least load per weight. Compared by cross-multiplication, strictly, so that of equals
 * the one seen first (the newest) stays: IPVS's tie-break.
 */
export function leastWeighted(dests: readonly Destination[], load: (dest: Destination) => number): Destination | null {
  let least: Destination | null = null;
  let leastLoad = 0;
  for (const dest of dests) {
    if (!eligible(dest)) continue;
    const itsLoad = load(dest);
    if (least === null || leastLoad * dest.weight > itsLoad * least.weight) {
      least = dest;
      leastLoad = itsLoad;
    }
  }
  return least;
}

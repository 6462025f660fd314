/** Choice by least load per weight, which wlc, sed, nq, lblc and lblcr share. */
import { type Destination, eligible } from '../service/service.js';

/**
 * The eligible destination with the least load per weight; null: none. Loads are compared by
 * cross-multiplication, strictly: of equals the first in the list, the newest, stays, as in IPVS.
 */
export function leastWeighted(dests: readonly Destination[], load: (dest: Destination) => number): Destination | null {
  let least: Destination | null = null;
  let leastLoad = 0;
  for (const dest of dests) {
    if (!eligible(dest)) continue;
    const own = load(dest);
    if (least === null || leastLoad * dest.weight > own * least.weight) {
      least = dest;
      leastLoad = own;
    }
  }
  return least;
}

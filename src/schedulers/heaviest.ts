import type { Destination } from '../service/service.js';

/** The destination of the highest weight among those that `takes` accepts; of equals the one seen first, the newest. */
export function heaviest(dests: readonly Destination[], takes: (dest: Destination) => boolean): Destination | null {
  let found: Destination | null = null;
  for (const dest of dests) if (takes(dest) && (found === null || dest.weight > found.weight)) found = dest;
  return found;
}

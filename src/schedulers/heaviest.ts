/** Choice by highest weight, which fo and ovf share. */
import type { Destination } from '../service/service.js';

/**
 * The destination of the highest weight among those that `accepts` accepts; of equals the newest.
 * null: none.
 */
export function heaviest(dests: readonly Destination[], accepts: (dest: Destination) => boolean): Destination | null {
  let found: Destination | null = null;
  for (const dest of dests) if (accepts(dest) && (found === null || dest.weight > found.weight)) found = dest;
  return found;
}

/** Least connection (ip_vs_lc.c): the least overhead. Weights matter only where they are 0. */
import { type Destination, eligible, overhead, type Scheduler } from '../service/service.js';

export const lc: Scheduler = {
  name: 'lc',
  chooses: 'the least 256 x active + inactive',
  bind: (service) => ({ schedule: () => least(service.destinations) }),
};

function least(dests: readonly Destination[]): Destination | null {
  let found: Destination | null = null;
  let load = 0;
  for (const dest of dests) {
    if (!eligible(dest)) continue;
    if (found !== null && overhead(dest) >= load) continue;
    found = dest;
    load = overhead(dest);
  }
  return found;
}

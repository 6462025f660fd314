/**
 * Never queue (ip_vs_nq.c): the first idle destination, whatever its weight. When none is idle, as
 * sed.
 */
import { type Destination, eligible, type Scheduler } from '../service/service.js';
import { leastWeighted } from './least.js';
import { expectedDelay } from './sed.js';

export const nq: Scheduler = {
  name: 'nq',
  chooses: 'the first that is idle, else the least (active + 1) / weight',
  bind: (service) => ({
    schedule: () => firstIdle(service.destinations) ?? leastWeighted(service.destinations, expectedDelay),
  }),
};

function firstIdle(dests: readonly Destination[]): Destination | null {
  for (const dest of dests) if (eligible(dest) && dest.active === 0) return dest;
  return null;
}

import type { Destination, Scheduler } from '../service/service.js';
import { leastWeighted } from './least.js';

/** Shortest expected delay: the least (active + 1) per weight, which is what it would be with this connection on it. */
export const sed: Scheduler = {
  name: 'sed',
  chooses: 'the least (active + 1) / weight',
  bind: (service) => ({ schedule: () => leastWeighted(service.destinations, expectedDelay) }),
};

export function expectedDelay(dest: Destination): number {
  return dest.active + 1;
}

/**
 * Shortest expected delay (ip_vs_sed.c): the least (active + 1) per weight, which is the load with
 * the new connection included.
 */
import type { Destination, Scheduler } from '../service/service.js';
import { leastWeighted } from './least.js';

export const sed: Scheduler = {
  name: 'sed',
  chooses: 'the least (active + 1) / weight',
  bind: (service) => ({ schedule: () => leastWeighted(service.destinations, expectedDelay) }),
};

export function expectedDelay(dest: Destination): number {
  return dest.active + 1;
}

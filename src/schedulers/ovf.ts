/**
 * Overflow (ip_vs_ovf.c): the highest weight whose active connections are not above its weight.
 * Further connections go to the next highest weight.
 */
import { type Destination, eligible, type Scheduler } from '../service/service.js';
import { heaviest } from './heaviest.js';

export const ovf: Scheduler = {
  name: 'ovf',
  chooses: 'the highest weight whose active connections are not above it',
  bind: (service) => ({ schedule: () => heaviest(service.destinations, hasRoom) }),
};

function hasRoom(dest: Destination): boolean {
  return eligible(dest) && dest.active <= dest.weight;
}

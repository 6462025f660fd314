import { type Destination, eligible, type Scheduler } from '../service/service.js';
import { heaviest } from './heaviest.js';

/** Overflow: the highest weight whose active connections have not grown beyond it; the next one takes what overflows. */
export const ovf: Scheduler = {
  name: 'ovf',
  chooses: 'the highest weight whose active connections are not above it',
  bind: (service) => ({ schedule: () => heaviest(service.destinations, hasRoom) }),
};

function hasRoom(dest: Destination): boolean {
  return eligible(dest) && dest.active <= dest.weight;
}

import { eligible, type Scheduler } from '../service/service.js';
import { heaviest } from './heaviest.js';

/** Failover: everything to the highest weight, as long as it can take it. */
export const fo: Scheduler = {
  name: 'fo',
  chooses: 'the highest weight that is not overloaded',
  bind: (service) => ({ schedule: () => heaviest(service.destinations, eligible) }),
};

/** Failover (ip_vs_fo.c): all connections go to the highest weight that is not overloaded. */
import { eligible, type Scheduler } from '../service/service.js';
import { heaviest } from './heaviest.js';

export const fo: Scheduler = {
  name: 'fo',
  chooses: 'the highest weight that is not overloaded',
  bind: (service) => ({ schedule: () => heaviest(service.destinations, eligible) }),
};

import { overhead, type Scheduler } from '../service/service.js';
import { leastWeighted } from './least.js';

/** Weighted least connection: the least overhead per weight. */
export const wlc: Scheduler = {
  name: 'wlc',
  chooses: 'the least (256 x active + inactive) / weight',
  bind: (service) => ({ schedule: () => leastWeighted(service.destinations, overhead) }),
};

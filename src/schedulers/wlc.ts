/** Weighted least connection (ip_vs_wlc.c): the least overhead per weight. */
import { overhead, type Scheduler } from '../service/service.js';
import { leastWeighted } from './least.js';

export const wlc: Scheduler = {
  name: 'wlc',
  chooses: 'the least (256 x active + inactive) / weight',
  bind: (service) => ({ schedule: () => leastWeighted(service.destinations, overhead) }),
};

/** Faults of services by mark, without a VIP (HOWTO chapter 24). */
import { configPath } from '../build/config.js';
import { DIRECTOR, type Lab } from '../build/lab.js';
import { withoutPrefix } from '../topology.js';
import { type Fault, inside } from './fault.js';

function breakMarkRule(lab: Lab): Promise<string> {
  const range = lab.spec.ranges![0]!;
  const edit = `sed -i '/^marks:/,/^accept:/ s|-d ${range}|-d 10.77.0.0/24|' ${configPath(lab.id)}`;
  const director = lab.processes.find(({ what }) => what === DIRECTOR)!;
  return inside(lab, 'director', `sh -c "${edit} && kill -HUP ${director.pid} && sleep 0.5"`);
}

export const markFaults: readonly Fault[] = [
  {
    name: 'mark-rule',
    title: 'a mark rule never matches',
    topology: 'fwmark',
    expects: 'mark-rule-never-matches',
    inject: breakMarkRule,
  },
  {
    name: 'acceptance',
    title: 'packets of an fwmark service are not routed to the director',
    topology: 'fwmark',
    expects: 'fwmark-not-accepted',
    inject: (lab) => inside(lab, 'router', `ip route del ${withoutPrefix(lab.spec.ranges![0]!)}/24`),
  },
];

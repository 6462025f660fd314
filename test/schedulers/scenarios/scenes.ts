/** All scenes of the schedulers. test/conformance/tools/run write makes scenarios of them. */
import { randomScene } from './random.js';
import { specialScenes } from './special.js';
import type { Scene } from './stage.js';

const BY_LOAD = ['rr', 'wrr', 'lc', 'wlc', 'sed', 'nq', 'fo', 'ovf', 'sh', 'mh'] as const;
const BY_ADDRESS = ['dh', 'lblc', 'lblcr'] as const;

export const schedulerScenes: readonly Scene[] = [
  ...specialScenes,
  ...BY_LOAD.flatMap((name) => [
    randomScene(`sched-${name}-edits-1`, name, { seed: 1 }),
    randomScene(`sched-${name}-edits-2`, name, { seed: 2 }),
    randomScene(`sched-${name}-thresholds`, name, { seed: 3, thresholds: true }),
  ]),
  ...BY_ADDRESS.flatMap((name) => [
    randomScene(`sched-${name}-edits-1`, name, { seed: 1, marked: true }),
    randomScene(`sched-${name}-edits-2`, name, { seed: 2, marked: true }),
    randomScene(`sched-${name}-edits6`, name, { seed: 4, marked: true, six: true }),
    randomScene(`sched-${name}-thresholds`, name, { seed: 3, marked: true, thresholds: true }),
  ]),
];

/**
 * Writes the schedulers' scenarios (setup.sh, director.yaml, frames.jsonl); `make record` then adds the kernel's answers:
 *
 *     npx esbuild --bundle --platform=node --format=esm test/schedulers/scenarios/write.ts | node --input-type=module - test/conformance [NAME ...]
 */
import { randomScene } from './random.js';
import { specialScenes } from './special.js';
import { save } from './stage.js';

const BY_LOAD = ['rr', 'wrr', 'lc', 'wlc', 'sed', 'nq', 'fo', 'ovf', 'sh', 'mh'] as const;
const BY_ADDRESS = ['dh', 'lblc', 'lblcr'] as const;

const scenes = [
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

const [dir = '.', ...names] = process.argv.slice(2);
for (const scene of scenes) if (names.length === 0 || names.includes(scene.name)) save(dir, scene);

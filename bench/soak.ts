/**
 * Keeps the result of a soak: `node build/bench/soak.js SAMPLES` (of `ulvs lab soak --out`) writes
 * bench/results/soak.json and soak.svg, of which `make docs` makes docs/soak.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { median } from '../src/lab/median.js';
import type { Sample } from '../src/lab/soak/sample.js';
import { verdictOf } from '../src/lab/soak/verdict.js';
import { linePlots } from './support/line-plot.js';
import { commit, machine } from './support/result.js';

const [file = 'build/soak.jsonl'] = process.argv.slice(2);
const samples = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Sample);
const loaded = samples.slice(0, -1);
const [first, last] = [samples[0]!, samples.at(-1)!];
const line = (name: string, of: (sample: Sample) => number) => ({ name, values: loaded.map(of) });
const mb = (bytes: number) => bytes / 1e6;

const kept = {
  machine: machine(),
  kernel: release(),
  node: process.version,
  commit: commit(),
  verdict: verdictOf(samples),
  first,
  last,
  highest: {
    rss: Math.max(...samples.map(({ rss }) => rss)),
    frames: Math.max(...samples.slice(2).map(({ frames }) => frames.inUse)),
    connections: Math.max(...samples.map(({ connections }) => connections)),
    echo99: median(loaded.map(({ echo }) => echo.p99)),
    opening99: median(loaded.map(({ opening }) => opening.p99)),
  },
};
writeFileSync('bench/results/soak.json', `${JSON.stringify(kept, undefined, 2)}\n`);
const hours = loaded.map(({ at }) => at / 3600);
const plots = linePlots('One director for hours', hours, [
  {
    title: 'memory, MB',
    lines: [
      line('resident', ({ rss }) => mb(rss)),
      line('heap', ({ heap }) => mb(heap)),
      line('external', ({ external }) => mb(external)),
    ],
  },
  { title: 'descriptors', lines: [line('open', ({ descriptors }) => descriptors)] },
  {
    title: 'frames in use',
    lines: [line('all', ({ frames }) => frames.inUse), line('waiting', ({ frames }) => frames.waiting)],
  },
  { title: 'connections, lines of the table', lines: [line('in use', ({ connections }) => connections)] },
  {
    title: 'time until an echo, ms',
    lines: [line('median', ({ echo }) => echo.p50), line('99th percentile', ({ echo }) => echo.p99)],
  },
  {
    title: 'time of a new connection, ms',
    lines: [line('median', ({ opening }) => opening.p50), line('99th percentile', ({ opening }) => opening.p99)],
  },
  { title: 'datagrams without an echo, by sample', lines: [line('lost', (s) => Math.max(0, s.sent - s.echoed))] },
]);
writeFileSync('bench/results/soak.svg', plots);
for (const fault of kept.verdict.faults) console.log(`✘ ${fault}`);

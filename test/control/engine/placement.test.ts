/** CPUs and priority of the workers, in a process of their own; and the rest of one that goes first. */
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { monotonic } from '../../../src/control/engine/clock.js';
import { Rest } from '../../../src/control/engine/rest.js';
import { WAKE_LATENCY } from '../../../src/sys/wake-latency.js';

const [PLACEMENT, AFFINITY] = ['dist/control/engine/placement.js', 'dist/sys/affinity.js'].map(
  (file) => pathToFileURL(path.resolve(file)).href,
) as [string, string];

/** Places the process by `placement`, then a thread as worker 0. Its last CPU is LAST. */
function placed(placement: string, ...prefix: string[]) {
  const thread = `import { placeWorker } from '${PLACEMENT}'; import { allowedCpus } from '${AFFINITY}';
import { parentPort, workerData } from 'node:worker_threads';
import { getPriority } from 'node:os';
parentPort.postMessage({ first: placeWorker(workerData, 0), cpus: allowedCpus(), nice: getPriority() });`;
  const program = `import { placeOthers } from '${PLACEMENT}'; import { allowedCpus } from '${AFFINITY}';
import { Worker } from 'node:worker_threads'; import { getPriority } from 'node:os';
const all = allowedCpus(); const LAST = all.at(-1); const placement = ${placement};
const warnings = placeOthers(placement);
const url = 'data:text/javascript,' + encodeURIComponent(${JSON.stringify(thread)});
new Worker(new URL(url), { workerData: placement, execArgv: [] }).once('message', (worker) =>
  console.log(JSON.stringify({ all, warnings, main: allowedCpus(), nice: getPriority(), worker })));`;
  const [file, ...args] = [...prefix, process.execPath, '--input-type=module', '-e', program];
  return JSON.parse(execFileSync(file!, args, { encoding: 'utf8' })) as {
    all: number[];
    warnings: string[];
    main: number[];
    nice: number;
    worker: { first: boolean; cpus: number[]; nice: number };
  };
}

it('a worker has its CPU, and the others leave it', () => {
  const { all, warnings, main, worker } = placed(`{ workerCpus: [LAST], workerPriority: 'normal' }`);
  const others = all.slice(0, -1);
  expect(worker).toMatchObject({ first: false, cpus: all.slice(-1) });
  expect(main).toEqual(others.length > 0 ? others : all);
  expect(warnings.length).toBe(others.length > 0 ? 0 : 1);
});

it('a worker has a lower niceness than the others where it may, else the same', () => {
  const usual = `{ workerCpus: [], workerPriority: 'normal' }`;
  const may = spawnSync('nice', ['-n', '-10', 'true'], { encoding: 'utf8' }).stderr === '';
  const { nice, worker } = placed(usual);
  expect(worker.nice).toBe(may ? Math.max(-20, nice - 10) : nice);
  const best = placed(usual, ...(may ? ['nice', '-n', '-40'] : []));
  expect(best.worker.nice).toBe(best.nice);
});

it('a CPU that the process may not use is named, and nobody moves', () => {
  const { all, warnings, main, worker } = placed(`{ workerCpus: [8191], workerPriority: 'normal' }`);
  expect(warnings).toEqual([
    `workerCpus: the director may not use CPU 8191; it may use ${all.join(' ')}: its worker is not placed`,
  ]);
  expect([main, worker.cpus]).toEqual([all, all]);
});

it('a worker goes first where it may; else a warning says what it needs', () => {
  const may = spawnSync('chrt', ['-r', '1', 'true']).status === 0;
  const { warnings, worker } = placed(`{ workerCpus: [], workerPriority: 'realtime' }`);
  const sleeps = spawnSync('sh', ['-c', `true > ${WAKE_LATENCY}`]).status !== 0;
  expect(worker.first).toBe(may);
  expect(warnings).toEqual([
    ...(may ? [] : [expect.stringContaining('realtime is not allowed here')]),
    ...(may && sleeps ? [expect.stringContaining(`${WAKE_LATENCY} cannot be written`)] : []),
  ]);
  const denied = placed(
    `{ workerCpus: [], workerPriority: 'realtime' }`,
    ...(may ? ['setpriv', '--bounding-set=-sys_nice', '--inh-caps=-sys_nice'] : []),
  );
  expect(denied.worker.first).toBe(false);
  expect(denied.warnings[0]).toMatch(/^workerPriority: realtime is not allowed here: it needs CAP_SYS_NICE/);
});

it('a worker that goes first rests at short intervals, unless it has slept or messages wait', () => {
  const flags = new Int32Array(new SharedArrayBuffer(4));
  const rest = new Rest(
    flags,
    () => 0,
    () => {},
    () => {},
  );
  const begun = monotonic();
  const after = rest.between(begun);
  expect(after - begun).toBeGreaterThanOrEqual(0.04);
  expect(rest.between(after)).toBe(after);
  const quickest = (prepare: () => void) => {
    const times = Array.from({ length: 50 }, (_, i) => {
      prepare();
      const now = after + 1e6 * (i + 1); // Another period has ended.
      const before = monotonic();
      return rest.between(now) - before;
    });
    return Math.min(...times);
  };
  expect(quickest(() => rest.slept(1))).toBeLessThan(0.04);
  flags[0] = 1;
  expect(quickest(() => {})).toBeLessThan(0.04);
});

it('an idle worker that goes first polls on for 50 µs', () => {
  const rest = new Rest(
    new Int32Array(new SharedArrayBuffer(4)),
    () => 0,
    () => {},
    () => {},
  );
  rest.worked(100);
  expect([100.04, 100.06].map((now) => rest.mayComeSoon(now))).toEqual([true, false]);
});

/** A worker whose V8 threads use these times, ms, from one look to the next. Returns its turns until it goes first. */
function turnsToFirst(used: (look: number) => number): number {
  let [looks, total, first] = [0, 0, 0];
  const rest = new Rest(
    new Int32Array(new SharedArrayBuffer(4)),
    () => (total += used(looks++)),
    () => first++,
    () => {},
  );
  for (let turn = 1; turn < 200_000; turn++) {
    rest.worked(turn / 20); // 20 turns in a ms: 2,000 in 100 ms
    if (first > 0) return turn;
  }
  return Number.POSITIVE_INFINITY;
}

it('goes first when V8 has compiled its code', () => {
  // The first look has nothing to compare with.
  expect(turnsToFirst(() => 0)).toBe(22_000);
  expect(turnsToFirst((look) => (look < 5 ? 40 : 4))).toBe(30_000);
});

it('goes first in the end though V8 is always busy', () => {
  expect(turnsToFirst(() => 40)).toBe(20_000 + 49 * 2000);
});

it('keeps CPUs awake while frames come often, until it has waited for them', () => {
  const asked: boolean[] = [];
  const rest = new Rest(
    new Int32Array(new SharedArrayBuffer(4)),
    () => 0,
    () => {},
    (awake) => asked.push(awake),
  );
  for (const now of [100, 105, 110]) rest.worked(now);
  expect(asked).toEqual([]);
  for (const now of [110.5, 110.9, 111.2]) rest.worked(now);
  rest.slept(5);
  expect(asked).toEqual([true]);
  for (const ms of [50, 50]) rest.slept(ms);
  expect(asked).toEqual([true, false]);
  for (const now of [300, 300.1]) rest.worked(now);
  expect(asked).toEqual([true, false, true]);
  for (let times = 0; times < 2; times++) rest.end();
  expect(asked).toEqual([true, false, true, false]);
});

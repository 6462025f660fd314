/** The dataplane's thread when things go wrong: it is told of, and ends. Runs the built code: a worker is a file. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tableMemory } from '../../../src/conntrack/memory.js';
import { parseConfig } from '../../../src/control/config/config.js';
import { DeviceCounters } from '../../../src/control/engine/device-counters.js';
import { FrameCounts } from '../../../src/control/engine/frame-census.js';
import type { Message, Report } from '../../../src/control/engine/messages.js';
import type * as Built from '../../../src/control/engine/worker-handle.js';
import type * as Memory from '../../../src/device/umem-memory.js';
import { Counters } from '../../../src/stats/counters.js';
import { LoopStats } from '../../../src/stats/loop-stats.js';

const DIST = path.resolve(process.env.ULVS_DIST ?? `${import.meta.dirname}/../../../dist`);
const { makeUmem } = (await import(`${DIST}/device/umem-memory.js`)) as typeof Memory;
const { startInline, startWorker } = (await import(`${DIST}/control/engine/worker-handle.js`)) as typeof Built;

const config = parseConfig('devices: []\nconnections: { max: 1024 }'.replace('[]', '[{ name: x0, kind: tap }]'), 'x');

/** Without any device: nothing is touched. */
function setup(counters = Counters.memory()) {
  return {
    config,
    devices: [],
    umem: makeUmem(256, 2048),
    counters,
    table: tableMemory(config.connections.max),
    secret: [1, 2, 3],
    connections: config.connections.max,
    deviceCounters: DeviceCounters.memory(2),
    frameCounts: FrameCounts.memory(),

    loop: LoopStats.memory(),
    live: false,
    first: [],
  };
}

describe.each([
  ['worker', startWorker],
  ['inline', startInline],
])('a dataplane (%s)', (_, start) => {
  it('starts and stops, and takes no order afterwards', async () => {
    const reports: Report[] = [];
    const dataplane = await start(setup(), (report) => reports.push(report));
    await dataplane.stop();
    dataplane.send({ kind: 'actions', actions: [] });
    expect(reports.filter(({ kind }) => kind === 'failed')).toEqual([]);
  });

  it('that cannot be built says why', async () => {
    const tooSmall = { buffer: new SharedArrayBuffer(8), offset: 0 };
    await expect(start(setup(tooSmall), () => {})).rejects.toThrow(/out of bounds|Invalid typed array length/);
  });
});

it('a thread that dies in the middle is told of, with its stack, and can still be stopped', async () => {
  const reports: Report[] = [];
  const dataplane = await startWorker(setup(), (report) => reports.push(report));
  dataplane.send({ kind: 'routes' } as unknown as Message);
  for (let i = 0; i < 1000 && reports.every(({ kind }) => kind !== 'died'); i++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  const died = reports.find(({ kind }) => kind === 'died');
  expect(died).toMatchObject({ worker: 0, message: expect.stringMatching(/^dataplane: TypeError: .*\n +at /s) });
  await dataplane.stop();
});

/** sched_priority of all threads of this process that go before others (proc(5), field 40 of stat). */
function urgentThreads(): number[] {
  const stats = readdirSync('/proc/self/task').map((id) => readFileSync(`/proc/self/task/${id}/stat`, 'utf8'));
  return stats.map((stat) => Number(stat.split(') ')[1]!.split(' ')[37])).filter((priority) => priority > 0);
}

const actions = (count: number): Message => ({
  kind: 'actions',
  actions: Array.from({ length: count }, () => ({ kind: 'zeroRates', services: [], destinations: [], total: false })),
});

it('where there is traffic, a worker and V8 go before others while many rules come, and no longer', async ({
  skip,
}) => {
  skip(spawnSync('chrt', ['-r', '2', 'true']).status !== 0, 'this machine allows no real-time priority');
  skip(availableParallelism() < 2, 'with one processor a worker leaves it to the thread that loads the rules');
  const traffic = setup();
  const dataplane = await startWorker(traffic, () => {});
  dataplane.send(actions(32));
  expect(urgentThreads()).toEqual([]);
  new LoopStats(traffic.loop).end(300);
  dataplane.send(actions(31));
  expect(urgentThreads()).toEqual([]);
  dataplane.send(actions(32));
  expect(urgentThreads()).toContain(2);
  expect(urgentThreads()).toContain(1);
  await expect.poll(urgentThreads, { timeout: 5000 }).toEqual([]);
  dataplane.send(actions(32));
  await dataplane.stop();
  expect(urgentThreads()).toEqual([]);
});

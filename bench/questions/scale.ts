/**
 * What does a packet cost by stage, and how many workers would a faster link need? The director
 * runs with devices of kind xdp between two veths, and a flood of 65,536 known flows comes as fast
 * as it can. The director measures the stages of one turn in 64 itself.
 *
 *     timers ─► receive ─► process ─► send        model: a worker forwards 1 / (sum of the stages)
 *
 * The reference of the model is the rate that the sink counted in the same run. The stage process
 * is measured in memory too, without devices. A veth has no zero-copy mode: its stage send is a
 * system call in which the kernel copies the frame and carries it to the sink. A NIC in zero-copy
 * mode takes descriptors from a ring, as the stage receive does; so its model has the stage
 * receive twice and no stage send.
 *
 *     node --expose-gc build/bench/questions/scale.js [--quick]     needs root
 */
import { ask } from '../../src/control/api/ask.js';
import { SocketClient } from '../../src/control/api/client.js';
import { outRate } from '../../src/lab/flood/flood.js';
import { type MethodName, Testbed } from '../../src/lab/flood/testbed.js';
import { median } from '../../src/lab/median.js';
import { type LoopReading, STAGES } from '../../src/stats/loop-stats.js';
import { interruption } from '../support/interruption.js';
import { orQuick } from '../support/options.js';
import { type Row, report } from '../support/result.js';
import { Skips } from '../support/skips.js';
import { FRAMES, type Path, Subject, VIPS } from '../support/subject.js';
import { Order, Template } from '../support/traffic.js';
import { opened } from '../support/wire/round.js';

const ROUNDS = orQuick(5, 1);
const MS = orQuick(2000, 500);
const WARM_UP_MS = 1500;
const CLIENTS = 1024;
const PORTS = 64;
const FLOWS = CLIENTS * PORTS;
const TURNS = orQuick(1 << 10, 1 << 7);
const NS = 1e9;
const PATHS: readonly (readonly [method: MethodName, path: Path])[] = [
  ['nat', 'natin'],
  ['dr', 'dr'],
  ['tun', 'tun'],
];

/** One run: what each stage took for a packet, ns, and frames a second at the sink. */
interface Run {
  readonly stages: readonly number[];
  readonly rate: number;
}

const signal = interruption();

async function reading(client: SocketClient): Promise<LoopReading> {
  const { status } = await ask(client, { op: 'status' });
  return status!.workers[0]!.loop!;
}

function between(before: LoopReading, after: LoopReading): number[] {
  const frames = after.sampledFrames - before.sampledFrames;
  return STAGES.map((_, i) => ((after.stageSeconds[i]! - before.stageSeconds[i]!) * NS) / frames);
}

async function run(method: MethodName): Promise<Run> {
  const testbed = await Testbed.build({ tap: false });
  try {
    const { pid } = await testbed.director({ device: 'xdp', method, kind: 'udp', flows: FLOWS });
    const client = new SocketClient(testbed.socket);
    const flood = await opened(testbed, { kind: 'udp', clients: CLIENTS, ports: PORTS, pid }, signal);
    try {
      await flood.run(0, WARM_UP_MS);
      const before = await reading(client);
      const rate = outRate(await flood.run(0, MS));
      return { stages: between(before, await reading(client)), rate };
    } finally {
      await flood.stop();
      client.close();
    }
  } finally {
    await testbed.remove();
  }
}

/** Nanoseconds for a packet in memory: all but the devices. */
async function inMemory(path: Path): Promise<number> {
  const subject = await Subject.create(1 << 20);
  const order = new Order();
  const end = { address: VIPS[path][0], port: 80 };
  const [syn, ack] = [0x02, 0x10].map((flags) => new Template(4, false, end, flags, '02:00:00:00:0d:00'));
  let flow = 0;
  for (let i = 0; i <= FLOWS / FRAMES; i++) drive(subject, syn!, () => flow++ % FLOWS);
  for (let i = 0; i < TURNS; i++) drive(subject, ack!, () => order.next(FLOWS));
  let ms = 0;
  for (let i = 0; i < TURNS; i++) ms += drive(subject, ack!, () => order.next(FLOWS));
  subject.check();
  return (ms * 1e6) / (TURNS * FRAMES);
}

function drive(subject: Subject, template: Template, flow: () => number): number {
  subject.sources[0].fill(template, flow);
  return subject.run();
}

function rowsOf(name: string, runs: readonly Run[], memory: number): Row[] {
  const stages = STAGES.map((_, i) => median(runs.map((one) => one.stages[i]!)));
  const [timers, receive, process] = stages as [number, number, number, number];
  const sum = stages.reduce((all, ns) => all + ns, 0);
  const zeroCopy = timers + 2 * receive + process;
  const unit = 'ns a packet';
  return [
    ...STAGES.map((stage, i) => ({ case: `${name}: ${stage}`, value: stages[i]!, unit })),
    { case: `${name}: process, in memory`, value: memory, unit, reference: process },
    {
      case: `${name}: model of one worker`,
      value: 1e6 / sum,
      unit: 'kpps',
      reference: median(runs.map(({ rate }) => rate)) / 1000,
    },
    { case: `${name}: model of one worker, zero-copy NIC`, value: 1e6 / zeroCopy, unit: 'kpps' },
  ];
}

const skips = new Skips();
const rows: Row[] = [];
for (const [method, path] of PATHS)
  try {
    const memory = await inMemory(path);
    const runs: Run[] = [];
    for (let i = 1; i <= ROUNDS; i++) {
      const one = await run(method);
      runs.push(one);
      console.error(
        `${method} ${i}/${ROUNDS}: ${one.stages.map((ns, k) => `${STAGES[k]} ${ns.toFixed(0)}`).join(', ')} ns; ${(one.rate / 1000).toFixed(0)} kpps`,
      );
    }
    rows.push(...rowsOf(method, runs, memory));
  } catch (error) {
    signal.throwIfAborted();
    skips.add(method, error);
  }
report({
  name: 'scale',
  title: 'A packet by stage, and the model of a worker',
  against: 'measured',
  rows,
  skipped: skips.all,
});
process.exit();

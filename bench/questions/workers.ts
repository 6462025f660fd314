/**
 * What does it cost that several workers are one director, and what does it bring? The packets are
 * NAT requests of 100,000 flows, in memory.
 *
 *     all its own        each frame arrives at the worker that owns its connection: the cost of the ownership check
 *     all handed off    each frame arrives at the other worker: checked, copied into a ring, copied out of it, forwarded there; processor time of both workers
 *     two processors     two threads, each with its own frames only, as with a fanout program or one queue for each worker
 *
 *     node --expose-gc build/bench/questions/workers.js [--quick]
 */
import { once } from 'node:events';
import { cpus } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { PacketInfo } from '../../src/dataplane/parse/packet.js';
import { parse } from '../../src/dataplane/parse/parse.js';
import type { WorkersSetup } from '../../src/dataplane/workers/dispatch.js';
import { HandoffRing } from '../../src/dataplane/workers/handoff.js';
import type { Steering } from '../../src/dataplane/workers/steering.js';
import { Bell } from '../../src/device/poll.js';
import { median } from '../../src/lab/median.js';
import { orQuick } from '../support/options.js';
import { type Row, report } from '../support/result.js';
import { Skips } from '../support/skips.js';
import { FRAMES, Subject, VIPS } from '../support/subject.js';
import { Template } from '../support/traffic.js';

const ROUNDS = orQuick(5, 1);
const FLOWS = 100_000;
const PACKETS = 1 << orQuick(20, 17);
const TABLE = 1 << 18;
/** A prime number: flows that follow each other in time are far apart in memory. */
const STRIDE = 7919;
const SYN = 0x02;
const ACK = 0x10;
const MAC = '02:00:00:00:0d:00';
const END = { address: VIPS.natin[0], port: 80 };
const ack = new Template(4, false, END, ACK, MAC);
const syn = new Template(4, false, END, SYN, MAC);

function setups(count: number, bells: readonly Bell[]): WorkersSetup[] {
  const shared = {
    count,
    secret: [11, 22, 33],
    rings: Array.from({ length: count * count }, () => HandoffRing.memory(2048)),
    asleep: new SharedArrayBuffer(4 * count),
    quiet: new SharedArrayBuffer(4 * count),
    bellFds: bells.map(({ fd }) => fd),
  };
  return Array.from({ length: count }, (_, index) => ({ ...shared, index }));
}

/** The flows of each worker, by the steering rule of the director. */
function flowsOf(subject: Subject, owners: Steering): number[][] {
  const flows: number[][] = Array.from({ length: owners.count }, () => []);
  const { umem } = subject.director;
  const frame = umem.alloc();
  const p = new PacketInfo();
  for (let flow = 0; flow < FLOWS; flow++) {
    ack.put(umem.u8, umem.view, frame, flow);
    parse(umem.view, frame, ack.length, p);
    flows[owners.of(p, 0)]!.push(flow);
  }
  umem.free(frame);
  return flows;
}

/** Yields the flows in a scattered order, each as often as the others. */
function order(flows: readonly number[]): () => number {
  let i = 0;
  return () => {
    i = (i + STRIDE) % flows.length;
    return flows[i]!;
  };
}

/**
 * Processes all waiting frames, one batch of each worker in turns. Returns the processor time in
 * ms.
 */
function carry(subjects: readonly Subject[]): number {
  const before = process.cpuUsage();
  for (let more = 1; more > 0; ) {
    more = 0;
    for (const subject of subjects) more += subject.once();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * Million packets for each second of processor time. The frames arrive at the first worker; the
 * processor time of all workers counts.
 */
function measure(subjects: readonly Subject[], template: Template, flow: () => number, packets = PACKETS): number {
  let ms = 0;
  const turns = Math.ceil(packets / FRAMES);
  for (let i = 0; i < turns; i++) {
    subjects[0]!.sources[0].fill(template, flow);
    ms += carry(subjects);
  }
  return (turns * FRAMES) / ms / 1000;
}

/** Opens the connections of `flows`, whichever worker owns them. */
function establish(subjects: readonly Subject[], flows: readonly number[]): void {
  let i = 0;
  measure(subjects, syn, () => flows[i++ % flows.length]!, flows.length + FRAMES);
}

/** Million packets a second. */
interface Round {
  one: number;
  mine: number;
  handed: number;
  /** Rates of one thread and of two threads by the wall clock; 0 with one processor. */
  threads: number;
  both: number;
}

const TWO = 'two processors';

async function main(): Promise<void> {
  const skips = new Skips();
  if (cpus().length < 2) skips.add(TWO, 'this machine has one');
  const bells = [new Bell(), new Bell()];
  const alone = await Subject.create(TABLE);
  const all = Array.from({ length: FLOWS }, (_, flow) => flow);
  establish([alone], all);
  const pair = [await Subject.create(TABLE), await Subject.create(TABLE)];
  const [first] = setups(2, bells).map((setup, i) => pair[i]!.join(setup));
  const [own, others] = flowsOf(pair[0]!, first!.steering) as [number[], number[]];
  establish(pair, all);
  const rounds: Round[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const one = measure([alone], ack, order(all));
    const mine = measure(pair, ack, order(own));
    const handed = measure(pair, ack, order(others));
    const [lone, both] = skips.has(TWO) ? [0, 0] : [await threads(1), await threads(2)];
    rounds.push({ one, mine, handed, threads: lone, both });
    process.stderr.write(`round ${i + 1} of ${ROUNDS}\r`);
  }
  for (const subject of [alone, ...pair]) subject.check();
  for (const bell of bells) bell.close();
  const of = (pick: (round: Round) => number) => median(rounds.map(pick));
  const rows: Row[] = [
    { case: 'all its own', value: of(({ mine }) => mine), unit: 'Mpps', reference: of(({ one }) => one) },
    { case: 'all handed off', value: of(({ handed }) => handed), unit: 'Mpps', reference: of(({ one }) => one) },
    { case: TWO, value: of(({ both }) => both), unit: 'Mpps', reference: of(({ threads: t }) => t) },
  ];
  report({
    name: 'workers',
    title: 'What do several workers cost, and bring?',
    against: 'one worker',
    rows: rows.filter((row) => !skips.has(row.case)),
    skipped: skips.all,
  });
}

/** Million packets a second of `count` threads together, by the wall clock. */
async function threads(count: number): Promise<number> {
  const gate = new SharedArrayBuffer(8);
  const bells = Array.from({ length: count }, () => new Bell());
  const workers = setups(count, bells).map(
    (setup) =>
      new Worker(new URL(import.meta.url), { argv: process.argv.slice(2), workerData: { setup, gate } satisfies Part }),
  );
  const rates = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as number));
  await Promise.all(workers.map((worker) => worker.terminate()));
  for (const bell of bells) bell.close();
  return rates.reduce((sum, rate) => sum + rate, 0);
}

interface Part {
  readonly setup: WorkersSetup;
  /** Int32 array: [0] is the number of ready threads. */
  readonly gate: SharedArrayBuffer;
}

/** Runs one thread. It opens its connections before any thread starts its clock. */
async function part({ setup, gate }: Part): Promise<void> {
  const subject = await Subject.create(TABLE);
  const dispatch = subject.join(setup);
  const flows = flowsOf(subject, dispatch.steering)[setup.index]!;
  establish([subject], flows);
  measure([subject], ack, order(flows), PACKETS / 4);
  const ready = new Int32Array(gate);
  Atomics.add(ready, 0, 1);
  Atomics.notify(ready, 0);
  for (let seen = Atomics.load(ready, 0); seen < setup.count; seen = Atomics.load(ready, 0))
    Atomics.wait(ready, 0, seen, 1000);
  const began = performance.now();
  measure([subject], ack, order(flows));
  const seconds = (performance.now() - began) / 1000;
  parentPort!.postMessage(PACKETS / 1e6 / seconds);
}

await (isMainThread ? main() : part(workerData as Part));

/** A process gives way, and comes back; a thread goes before others. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

/** In a process of its own, so that this one keeps its priority. Prints the priorities of all threads, twice. */
const PROGRAM = `import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { stepBack } from '${path.resolve('dist/sys/priority.js')}';
const all = () => [...new Set(readdirSync('/proc/self/task').map((id) => getPriority(Number(id))))];
const before = getPriority();
const back = stepBack();
const meanwhile = all();
back();
console.log(JSON.stringify({ before, meanwhile, after: all() }));`;

it('all threads give way and come back, where the process may', () => {
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM], { encoding: 'utf8' });
  const { before, meanwhile, after } = JSON.parse(out) as { before: number; meanwhile: number[]; after: number[] };
  const isRoot = process.getuid?.() === 0 && /^\s*0\s+0\s+4294967295/.test(readFileSync('/proc/self/uid_map', 'utf8'));
  const lower = isRoot ? Math.min(19, before + 10) : before;
  expect(meanwhile).toEqual([lower]);
  expect(after).toEqual([before]);
});

/** Prints the policy of the main thread (proc(5), field 41 of stat) before, meanwhile, after; and that of a new thread. */
const HURRIES = `import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { calmDown, hurry } from '${path.resolve('dist/sys/priority.js')}';
const POLICY = "require('node:fs').readFileSync('/proc/thread-self/stat', 'utf8').split(') ')[1].split(' ')[38]";
const policy = () => readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')[38];
const before = policy();
hurry();
const meanwhile = policy();
const worker = new Worker('require("node:worker_threads").parentPort.postMessage(' + POLICY + ')', { eval: true, execArgv: [] });
worker.once('message', (thread) => {
  calmDown();
  console.log(JSON.stringify([before, meanwhile, thread, policy()]));
});`;

function hurried(...prefix: string[]): string[] {
  const [program, ...args] = [...prefix, process.execPath, '--input-type=module', '-e', HURRIES];
  return JSON.parse(execFileSync(program!, args, { encoding: 'utf8' })) as string[];
}

const [OTHER, RR, BATCH] = ['0', '2', '3'];

it('a thread hurries and calms down, and what it starts does not hurry', () => {
  const mayHurry = spawnSync('chrt', ['-r', '1', 'true']).status === 0;
  expect(hurried()).toEqual([OTHER, mayHurry ? RR : OTHER, OTHER, OTHER]);
});

it('the policy that somebody gave a process stays', () => {
  expect(hurried('chrt', '-b', '0')).toEqual([BATCH, BATCH, BATCH, BATCH]);
});

/** Prints the policies and priorities (proc(5)) of a thread and of one of V8's, step by step. */
const URGES = `import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { goFirst, otherThreads, threadNumber, Urgency } from '${path.resolve('dist/sys/priority.js')}';
const compilers = otherThreads().slice(0, 1);
const worker = new Worker('setInterval(() => {}, 1000)', { eval: true, execArgv: [] });
await new Promise((resolve) => worker.once('online', resolve));
const thread = otherThreads().at(-1);
const scheduled = (id) => readFileSync('/proc/self/task/' + id + '/stat', 'utf8').split(') ')[1].split(' ').slice(37, 39).join(' ');
const steps = [];
const note = () => steps.push([scheduled(thread), scheduled(compilers[0])]);
const shared = () => new Int32Array(new SharedArrayBuffer(4));
const urgency = new Urgency(thread, compilers, 100, shared());
note();
urgency.extend();
note();
await sleep(60);
urgency.extend();
await sleep(60);
note();
await sleep(100);
note();
urgency.stay();
urgency.extend();
await sleep(200);
note();
urgency.end();
note();
const isOwn = threadNumber() === process.pid;
goFirst();
const own = new Urgency(process.pid, [], 100, shared());
own.stay();
own.end();
await worker.terminate();
console.log(JSON.stringify({ steps, isOwn, own: scheduled(process.pid) }));`;

it('a thread and those that it waits for go first for a while, and stay so when they shall', ({ skip }) => {
  skip(spawnSync('chrt', ['-r', '2', 'true']).status !== 0, 'this machine allows no real-time priority');
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', URGES], { encoding: 'utf8' });
  const [usual, first] = [
    ['0 0', '0 0'],
    ['2 2', '1 2'],
  ];
  // Who had the priority already keeps it: a worker with workerPriority: realtime.
  expect(JSON.parse(out)).toEqual({ steps: [usual, first, first, usual, first, usual], isOwn: true, own: '2 2' });
});

/** The thread that goes first ends it, at times of its own clock. */
const LIMITED = `import { readFileSync } from 'node:fs';
import { otherThreads, Urgency, UrgencyLimit } from '${path.resolve('dist/sys/priority.js')}';
const compilers = otherThreads().slice(0, 1);
const word = new Int32Array(new SharedArrayBuffer(4));
const urgency = new Urgency(process.pid, compilers, 60_000, word);
const limit = new UrgencyLimit(word, compilers, 100);
const policy = (id) => readFileSync('/proc/self/task/' + id + '/stat', 'utf8').split(') ')[1].split(' ')[38];
const at = (now) => (limit.check(now), policy(process.pid) + policy(compilers[0]));
const steps = [at(0)];
urgency.extend();
steps.push(at(1000), at(1099));
urgency.extend();
steps.push(at(1100), at(1199), at(1200));
urgency.end();
urgency.stay();
steps.push(at(2000), at(9000));
console.log(JSON.stringify(steps));`;

it('ends it itself where the other thread does not', ({ skip }) => {
  skip(spawnSync('chrt', ['-r', '2', 'true']).status !== 0, 'this machine allows no real-time priority');
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', LIMITED], { encoding: 'utf8' });
  expect(JSON.parse(out)).toEqual(['00', '22', '22', '22', '22', '00', '22', '22']);
});

/** As a service with LimitRTPRIO and without CAP_SYS_NICE: chrt raises the first thread, with the flag. */
const UNPRIVILEGED = `import { readFileSync } from 'node:fs';
import { UrgencyLimit } from '${path.resolve('dist/sys/priority.js')}';
const word = Int32Array.of(1);
const limit = new UrgencyLimit(word, [], 100);
const policy = () => readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')[38];
const steps = [policy()];
for (const now of [0, 100]) { limit.check(now); steps.push(policy()); }
console.log(JSON.stringify(steps));`;

it('ends it without CAP_SYS_NICE', ({ skip }) => {
  skip(spawnSync('chrt', ['-r', '2', 'true']).status !== 0, 'this machine allows no real-time priority');
  const without = ['setpriv', '--inh-caps=-sys_nice', '--bounding-set=-sys_nice'];
  const words = [...without, process.execPath, '--input-type=module', '-e', UNPRIVILEGED];
  const out = execFileSync('chrt', ['--reset-on-fork', '-r', '2', ...words], { encoding: 'utf8' });
  expect(JSON.parse(out)).toEqual(['2', '2', '0']);
});

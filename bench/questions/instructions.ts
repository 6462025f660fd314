/**
 * How many instructions does a packet take, and in which function? The reference is the same work
 * in C, gcc -O3 with prefetched batches. Each process is single-stepped for a while (ptrace), so
 * the numbers are exact and other load does not change them. The functions are those that V8 left
 * after inlining: a name stands for what was inlined into it, too. The packets belong to 1,000
 * connections.
 *
 * Both programs execute about four instructions in each cycle, so the ratio of the rates
 * (pipeline) follows from the ratio of the instructions. In the code of V8, IPv4 by DR:
 *
 *     a quarter    bounds checks of typed arrays: about 100 for each packet, of 2 or 3 instructions
 *     a tenth      values that are saved to the stack and loaded again
 *     a tenth      calls that V8 does not inline, checks of small integers, and of the shape of objects
 *     a tenth      rows of the batch: six passes write and read the fields that C keeps in registers
 *
 * To remove the first three the packet path would have to be WebAssembly: its memory needs no
 * bounds checks, its functions no checks of shapes. But all tables would then lie in one memory of
 * it, and the source would be a second language. So this is not done.
 *
 *     node build/bench/questions/instructions.js [--quick]     needs root
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { orQuick, WORDS } from '../support/options.js';
import { established, traffic } from '../support/paths.js';
import { buildReferences, program } from '../support/references.js';
import { type Row, report } from '../support/result.js';
import { buildSteps, codeOfNode, codeOfProgram, countSteps, type Instructions } from '../support/steps.js';
import { type Path, Subject } from '../support/subject.js';
import type { Family } from '../support/traffic.js';

const FLOWS = 1000;
/** A little more than 960 packets take, with what the benchmark itself does for them. */
const STEPS = { ours: 1_700_000, theirs: 700_000 };
/** Time in which V8 compiles all that it will, and C opens its connections. */
const WARM_MS = { ours: 10_000, theirs: 500 };
const FAMILIES = orQuick<readonly Family[]>([4, 6], [4]);
const PATHS = orQuick<readonly Path[]>(['natin', 'natout', 'dr', 'tun'], ['natin']);
const REFERENCE = 'C -O3 batches';
/** The work of the benchmark itself, in V8 and in C. */
const NOT_OURS = /questions\/instructions|_?fill|put |Template|Order|flow/;
const NOT_THEIRS = ['main', 'build', 'turn', 'next_flow', 'client_of', '_init', '_start'];
/** Functions that take less are one row. */
const LEAST = 10;

/** Turns between two looks whether the process that counts is still there. */
const TURNS = 1 << 14;

/**
 * Sends packets of established connections through a director until it is killed. It ends by itself
 * when the process that counts has ended.
 */
async function runPath(path: Path, family: Family): Promise<void> {
  const subject = await Subject.create(1 << 20);
  established(subject, path, family, FLOWS);
  const { template, flow } = traffic(path, family, FLOWS);
  const source = subject.sources[path === 'natout' ? 1 : 0];
  for (const parent = process.ppid; process.ppid === parent; )
    for (let turn = 0; turn < TURNS; turn++) {
      source.fill(template, flow);
      subject.run();
    }
}

async function counted(child: ChildProcess, ms: number, count: (pid: number) => Instructions): Promise<Instructions> {
  const ended = once(child, 'exit');
  try {
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} has ended`);
    return count(child.pid!);
  } finally {
    child.kill('SIGKILL');
    await ended;
    rmSync(`/tmp/perf-${child.pid}.map`, { force: true });
  }
}

function ours(path: Path, family: Family): Promise<Instructions> {
  const flags = ['--perf-basic-prof', '--interpreted-frames-native-stack'];
  const child = spawn(process.execPath, [...flags, process.argv[1]!, path, `${family}`], { stdio: 'inherit' });
  const isOurs = (name: string) => /^JS:\*/.test(name) && !NOT_OURS.test(name);
  return counted(child, WARM_MS.ours, (pid) => countSteps(pid, STEPS.ours, () => codeOfNode(pid), isOurs));
}

function theirs(path: Path, family: Family): Promise<Instructions> {
  const file = program(REFERENCE);
  const child = spawn(file, [path, `${family}`, `${FLOWS}`, '4000000000'], { stdio: 'ignore' });
  const isTheirs = (name: string) => name !== '' && !NOT_THEIRS.includes(name);
  const count = (pid: number) => countSteps(pid, STEPS.theirs, () => codeOfProgram(pid, file), isTheirs);
  return counted(child, WARM_MS.theirs, count);
}

function rowsOf(text: string, found: Instructions, reference: Instructions): Row[] {
  const total = (all: Instructions) => [...all.values()].reduce((sum, one) => sum + one, 0);
  const large = [...found].filter(([, value]) => value >= LEAST).sort((a, b) => b[1] - a[1]);
  const unit = 'instructions';
  return [
    { case: text, value: total(found), unit, reference: total(reference) },
    ...large.map(([name, value]) => ({ case: `${text}: ${plain(name)}`, value, unit })),
  ];
}

/** `JS:*sendIn file:///…` is `sendIn`. */
function plain(name: string): string {
  return /^JS:\*(\S*)/.exec(name)?.[1] ?? name;
}

async function main(): Promise<void> {
  buildReferences();
  buildSteps();
  const rows: Row[] = [];
  for (const family of FAMILIES)
    for (const path of PATHS) {
      console.error(`instructions: ${path} v${family}`);
      rows.push(...rowsOf(`${path} v${family}`, await ours(path, family), await theirs(path, family)));
    }
  report({ name: 'instructions', title: 'Instructions for each packet', against: REFERENCE, rows });
}

const [path, family] = WORDS;
if (path === undefined) await main();
else await runPath(path as Path, Number(family) as Family);

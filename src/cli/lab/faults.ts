/** `ulvs lab break`, `ulvs lab faults` and `ulvs lab restart`. */
import type { Command } from 'commander';
import { tick } from '../../control/text/colour.js';
import { didYouMean } from '../../control/text/did-you-mean.js';
import { restartProgram } from '../../lab/build/lab.js';
import { mayMakeNamespaces } from '../../lab/build/rootless.js';
import { LabError } from '../../lab/error.js';
import { type Fault, runSmokeTest, topologiesOf } from '../../lab/faults/fault.js';
import { faults, faultsOf, findFault } from '../../lab/faults/index.js';
import { type Health, type Trial, tryFault, tryHealthy } from '../../lab/faults/run.js';
import { invocation } from '../../lab/invocation.js';
import { inParallel } from '../../lab/parallel.js';
import { topologies } from '../../lab/topologies/index.js';
import { askDirector } from '../doctor/ask-director.js';
import { findLab } from '../find-lab.js';

interface LabGuards {
  readonly guarded: (work: (signal: AbortSignal) => Promise<void>) => Promise<void>;
  /**
   * Resolves to true if the whole command ran in a user namespace. Throws a LabError without the
   * privilege.
   */
  readonly ranInUserNamespace: (options: { rootless?: true }) => Promise<boolean>;
}

interface FaultsOptions {
  rootless?: true;
  all?: true;
  json?: true;
}

const CONCURRENCY = 2;

export function addFaultCommands(lab: Command, { guarded, ranInUserNamespace }: LabGuards): void {
  lab
    .command('break')
    .argument('<name>', 'the id of a lab, or a topology')
    .argument('[fault]', 'a fault of `ulvs lab faults`, if not --random')
    .description('inject a fault into a lab that is up; `ulvs doctor --lab NAME` finds it')
    .option('--random', 'any fault that the lab can have; its name is not said')
    .action((name, fault, { random = false }) => guarded(() => withRights(() => runBreak(name, fault, random))));
  lab
    .command('faults')
    .argument('[fault...]', 'faults to try; without them all are listed')
    .description(
      `list the ${faults.length} faults; with names or --all: inject each, find it, fix it by the doctor's commands, test again`,
    )
    .option('--all', 'try every fault, and run the doctor on every healthy topology')
    .option('--rootless', 'run in a user namespace')
    .option('--json', 'print one JSON object for each fault')
    .action((names: string[], options: FaultsOptions) =>
      guarded(async (signal) => {
        const wanted = chosen(names, options);
        if (wanted.length === 0) list();
        else if (!(await ranInUserNamespace(options))) await runFaults(wanted, options, signal);
      }),
    );
  lab
    .command('restart')
    .argument('<name>', 'the id of a lab, or a topology')
    .argument('<program>', 'a realserver (rs1), or its tunnel endpoint (rs1-decapsulator)')
    .description("restart a lab's service program (rs1) or tunnel endpoint (rs1-decapsulator)")
    .action((name, program) => guarded(() => withRights(() => restartProgram(findLab(name), program))));
}

function withRights(work: () => Promise<void>): Promise<void> {
  if (!mayMakeNamespaces()) throw new LabError('only root may enter the namespaces of a lab: run it with sudo');
  return work();
}

interface Wanted {
  readonly fault: Fault;
  readonly topology: string;
}

/**
 * The faults that were named, in each of their topologies. Throws a LabError for an unknown name.
 */
function chosen(names: readonly string[], { all }: FaultsOptions): Wanted[] {
  return (all ? faults : names.map((name) => faultNamed(name))).flatMap((fault) =>
    topologiesOf(fault).map((topology) => ({ fault, topology })),
  );
}

/**
 * Throws a LabError for an unknown name. It names the fault that was probably meant, or those that
 * the topology can have, or all where no topology is given.
 */
function faultNamed(name: string, topology?: string): Fault {
  const names = faults.map((fault) => fault.name);
  if (names.includes(name)) return findFault(name);
  const meant = didYouMean(name, names);
  if (meant !== '') throw new LabError(`no fault is named "${name}"${meant}`);
  return findFault(name, topology === undefined ? faults : knownFaults(topology));
}

function anyFault(topology: string): Fault {
  const possible = knownFaults(topology);
  return possible[Math.floor(Math.random() * possible.length)]!;
}

/** One at least. Throws a LabError where there is none. */
function knownFaults(topology: string): Fault[] {
  const known = faultsOf(topology);
  if (known.length === 0) throw new LabError(`no fault is known for the topology ${topology}`);
  return known;
}

/** With `random` the fault is not named: it is to be found. */
async function runBreak(name: string, faultName: string | undefined, random: boolean): Promise<void> {
  if ((faultName === undefined) !== random)
    throw new LabError('lab break: name a fault (`ulvs lab faults` lists them), or use --random');
  const lab = findLab(name);
  const fault = random ? anyFault(lab.topology) : faultNamed(faultName!, lab.topology);
  const places = topologiesOf(fault);
  if (!places.includes(lab.topology))
    throw new LabError(
      `the fault ${fault.name} needs a lab of topology ${places.join(' or ')}; ${lab.id} is of topology ${lab.topology}`,
    );
  await fault.inject(lab);
  const { figure } = await runSmokeTest(fault, lab);
  console.log(`${lab.id}: ${random ? 'something is broken now' : fault.title}`);
  console.log(`answers of the realservers to a few requests: ${figure}`);
  console.log(`next: ${invocation(`ulvs doctor --lab ${lab.id}`)}`);
}

async function runFaults(wanted: readonly Wanted[], { all, json }: FaultsOptions, signal: AbortSignal): Promise<void> {
  const print = (trial: Trial) => console.log(json ? JSON.stringify(trial) : row(trial));
  const trials = await inParallel(wanted, CONCURRENCY, async ({ fault, topology }) => {
    const trial = await tryFault(fault, { ask: askDirector, signal }, topology);
    print(trial);
    return trial;
  });
  const shown = new Set(wanted.map(({ topology }) => topology));
  const rest = all ? topologies.filter(({ name }) => !shown.has(name)) : [];
  const health = await inParallel(rest, CONCURRENCY, (spec) => tryHealthy(spec, { ask: askDirector, signal }));
  for (const one of health)
    if (one.findings.length > 0 || one.trouble) console.log(json ? JSON.stringify(one) : healthyRow(one));
  if (!total(trials, health, json)) process.exitCode = 1;
}

function list(): void {
  for (const fault of faults)
    console.log(`${fault.name.padEnd(16)}${topologiesOf(fault).join(', ').padEnd(22)}${fault.title}`);
}

function row({ fault, topology, served, ids, found, fixed, trouble, seconds, falseAlarms }: Trial): string {
  const alarms = falseAlarms.length > 0 ? ` FALSE ALARM ${falseAlarms.join(', ')}` : '';
  const words = [
    fault.padEnd(15),
    topology.padEnd(20),
    `served ${served}`.padEnd(18),
    (ids.join(', ') || 'nothing').padEnd(28),
  ];
  return `${tick(found && fixed)} ${words.join(' ')} ${fixed ? 'fixed' : 'NOT FIXED'} ${seconds} s${alarms} ${trouble}`.trimEnd();
}

function healthyRow({ topology, findings, trouble }: Health): string {
  const what = findings.map(({ id, wrong, seen }) => `${id}: ${wrong} (${seen})`).join('; ');
  return `${tick(false)} healthy ${topology}: ${what}${trouble}`;
}

/** Prints the totals. Returns true if every fault was found and fixed, without false alarms. */
function total(trials: readonly Trial[], health: readonly Health[], json?: boolean): boolean {
  const found = trials.filter((trial) => trial.found).length;
  const fixed = trials.filter((trial) => trial.fixed).length;
  const suspected = new Set(trials.filter(({ falseAlarms }) => falseAlarms.length > 0).map(({ topology }) => topology));
  const alarms = suspected.size + health.filter(({ findings }) => findings.length > 0).length;
  const inspected =
    new Set(trials.map(({ topology }) => topology)).size + health.filter(({ trouble }) => !trouble).length;
  const figures = { faults: trials.length, found, fixed, falseAlarms: alarms, healthy: inspected };
  if (json) console.log(JSON.stringify(figures));
  else
    console.log(
      `${found} of ${trials.length} found, ${fixed} fixed, ${alarms} false alarms in ${inspected} healthy
 topologies`,
    );
  return found === trials.length && fixed === trials.length && alarms === 0;
}

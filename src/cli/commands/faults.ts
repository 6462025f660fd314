/** `ulvs lab break|faults|restart`. */
import type { Command } from 'commander';
import { restart } from '../../lab/build/lab.js';
import { mayMakeNamespaces } from '../../lab/build/rootless.js';
import { LabError } from '../../lab/error.js';
import { check, type Fault, placesOf } from '../../lab/faults/fault.js';
import { faults, findFault } from '../../lab/faults/index.js';
import { type Health, type Trial, tryFault, tryHealthy } from '../../lab/faults/run.js';
import { typed } from '../../lab/invocation.js';
import { abreast } from '../../lab/parallel.js';
import { topologies } from '../../lab/topologies/index.js';
import { findLab } from '../find-lab.js';
import { askDirector } from './doctor.js';

interface Frame {
  readonly guarded: (work: (signal: AbortSignal) => Promise<void>) => Promise<void>;
  /** True when all of it was done in a user namespace; LabError without the privilege. */
  readonly elsewhere: (options: { rootless?: true }) => Promise<boolean>;
}

interface FaultsOptions {
  rootless?: true;
  all?: true;
  json?: true;
}

const ABREAST = 2;

export function addFaultCommands(lab: Command, { guarded, elsewhere }: Frame): void {
  lab
    .command('break')
    .argument('<name>', 'the id of a lab, or a topology that is up once')
    .argument('<fault>', 'one of those that `ulvs lab faults` lists')
    .description('put a fault into a lab that is up; `ulvs doctor --lab NAME` finds it')
    .action((name, fault) => guarded(() => withRights(() => runBreak(name, fault))));
  lab
    .command('faults')
    .argument('[fault...]', 'names of faults; without any all are listed')
    .description('list the faults; with names or --all: break a lab, find it, mend it by what the doctor says, test it')
    .option('--all', 'every fault, and the doctor on every healthy topology')
    .option('--rootless', 'in a user namespace')
    .option('--json', 'one JSON object a fault, for machines')
    .action((names: string[], options: FaultsOptions) =>
      guarded(async (signal) => {
        const wanted = chosen(names, options);
        if (wanted.length === 0) list();
        else if (!(await elsewhere(options))) await runFaults(wanted, options, signal);
      }),
    );
  lab
    .command('restart')
    .argument('<name>', 'the id of a lab, or a topology that is up once')
    .argument('<program>', 'rs1, for example, or rs1-decapsulator')
    .description("start a lab's service program (rs1) or tunnel endpoint (rs1-decapsulator) anew")
    .action((name, program) => guarded(() => withRights(() => restart(findLab(name), program))));
}

function withRights(work: () => Promise<void>): Promise<void> {
  if (!mayMakeNamespaces())
    throw new LabError('the namespaces of a lab can be entered by root alone: run it with sudo');
  return work();
}

interface Wanted {
  readonly fault: Fault;
  readonly topology: string;
}

/** LabError for a fault that is none. */
function chosen(names: readonly string[], { all }: FaultsOptions): Wanted[] {
  return (all ? faults : names.map(findFault)).flatMap((fault) =>
    placesOf(fault).map((topology) => ({ fault, topology })),
  );
}

async function runBreak(name: string, faultName: string): Promise<void> {
  const fault = findFault(faultName);
  const lab = findLab(name);
  const places = placesOf(fault);
  if (!places.includes(lab.topology))
    throw new LabError(
      `the fault ${fault.name} is for a lab of ${places.join(' or ')}, ${lab.id} is one of ${lab.topology}`,
    );
  await fault.inject(lab);
  const { figure } = await check(fault, lab);
  console.log(`${lab.id}: ${fault.title}; of a few requests: ${figure}. Now: ${typed(`ulvs doctor --lab ${lab.id}`)}`);
}

async function runFaults(wanted: readonly Wanted[], { all, json }: FaultsOptions, signal: AbortSignal): Promise<void> {
  const tell = (trial: Trial) => console.log(json ? JSON.stringify(trial) : row(trial));
  const trials = await abreast(wanted, ABREAST, async ({ fault, topology }) => {
    const trial = await tryFault(fault, { ask: askDirector, signal }, topology);
    tell(trial);
    return trial;
  });
  const shown = new Set(wanted.map(({ topology }) => topology));
  const rest = all ? topologies.filter(({ name }) => !shown.has(name)) : [];
  const health = await abreast(rest, ABREAST, (spec) => tryHealthy(spec, { ask: askDirector, signal }));
  for (const one of health)
    if (one.findings.length > 0 || one.trouble) console.log(json ? JSON.stringify(one) : illness(one));
  if (!total(trials, health, json)) process.exitCode = 1;
}

function list(): void {
  for (const fault of faults)
    console.log(`${fault.name.padEnd(16)}${placesOf(fault).join(', ').padEnd(22)}${fault.title}`);
}

function row({ fault, topology, broken, ids, found, mended, trouble, seconds, falseAlarms }: Trial): string {
  const alarms = falseAlarms.length > 0 ? ` FALSE ALARM ${falseAlarms.join(', ')}` : '';
  const words = [
    fault.padEnd(15),
    topology.padEnd(20),
    `served ${broken}`.padEnd(18),
    (ids.join(', ') || 'nothing').padEnd(28),
  ];
  return `${found && mended ? '✔' : '✘'} ${words.join(' ')} ${mended ? 'mended' : 'NOT MENDED'} ${seconds} s${alarms} ${trouble}`.trimEnd();
}

function illness({ topology, findings, trouble }: Health): string {
  const what = findings.map(({ id, wrong, seen }) => `${id}: ${wrong} (${seen})`).join('; ');
  return `✘ healthy ${topology}: ${what}${trouble}`;
}

/** True when all is as it should be. */
function total(trials: readonly Trial[], health: readonly Health[], json?: boolean): boolean {
  const found = trials.filter((trial) => trial.found).length;
  const mended = trials.filter((trial) => trial.mended).length;
  const accused = new Set(trials.filter(({ falseAlarms }) => falseAlarms.length > 0).map(({ topology }) => topology));
  const alarms = accused.size + health.filter(({ findings }) => findings.length > 0).length;
  const looked = new Set(trials.map(({ topology }) => topology)).size + health.filter(({ trouble }) => !trouble).length;
  const figures = { faults: trials.length, found, mended, falseAlarms: alarms, healthy: looked };
  if (json) console.log(JSON.stringify(figures));
  else
    console.log(
      `${found} of ${trials.length} found, ${mended} mended, ${alarms} false alarms in ${looked} healthy topologies`,
    );
  return found === trials.length && mended === trials.length && alarms === 0;
}

/** `ulvs lab list|up|test|down|graph|demo`. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { forWorkers, kindsWith, PLAIN_KIND } from '../../device/kinds.js';
import { down, isHealthy, keep, type Lab, matching, up } from '../../lab/build/lab.js';
import { againRootless, isRootless, lacking, mayMakeNamespaces, shell } from '../../lab/build/rootless.js';
import { isLeftOver, type LabState, listStates } from '../../lab/build/state.js';
import { demo } from '../../lab/demo.js';
import { LabError } from '../../lab/error.js';
import { howToTry } from '../../lab/hints.js';
import { deviceFor, QUICK, SIZES, type TestOptions, testLab } from '../../lab/test.js';
import { testLabs } from '../../lab/test-all.js';
import { findTopology, topologies } from '../../lab/topologies/index.js';
import type { LabDevice, Topology } from '../../lab/topology.js';
import { command } from '../../sys/command.js';
import { interruptible } from '../interruptible.js';
import { addFaultCommands } from './faults.js';

interface Options {
  device?: LabDevice;
  workers?: number;
  rootless?: true;
}

export function labCommand(): Command {
  const lab = new Command('lab').description('topologies of the LVS-HOWTO in network namespaces, with real servers');
  lab.command('list').description('the topologies, and what is up').action(list);
  lab.command('graph').argument('<name>', 'a topology').description('draw a topology').action(graph);
  lab
    .command('up')
    .argument('<name>', 'a topology')
    .description('start a lab and leave it running')
    .addOption(deviceOption())
    .addOption(workersOption())
    .option('--no-director', 'everything but the director, which you start by hand')
    .option('--rootless', 'in a user namespace, for as long as the shell in it lives')
    .action((name, options) => guarded((signal) => runUp(name, options, signal)));
  lab
    .command('test')
    .argument('[names...]', 'topologies')
    .description(
      'start a lab, check it from end to end, and take it down; several: as many at a time as there are cores',
    )
    .option('--all', 'every topology')
    .addOption(deviceOption())
    .addOption(workersOption())
    .option('--rootless', 'in a user namespace')
    .option('--quick', 'a tenth of the traffic')
    .option('--json', 'one JSON object a check, or a lab where there are several, for machines')
    .action((names, options) => guarded((signal) => runTest(names, options, signal)));
  lab
    .command('down')
    .argument('[name]', 'the id of a lab, or a topology')
    .description('take down labs: by id, or all of a topology')
    .option('--all', 'every lab that is up')
    .option('--stale', 'what killed runs left over')
    .action((name, options) => guarded(() => runDown(name, options)));
  lab
    .command('demo')
    .description('all four labs in a minute: who answered, the tables, one packet at each hop')
    .addOption(deviceOption())
    .option('--rootless', 'in a user namespace')
    .action((options: Options) => guarded((signal) => runDemo(options, signal)));
  addFaultCommands(lab, { guarded, elsewhere });
  return lab;
}

function workersOption(): Option {
  return new Option(
    '--workers <n>',
    `the director's workers (default: 1); with ${forWorkers().join(' and ')} only`,
  ).argParser((text) => {
    if (/^([1-9]|1[0-6])$/.test(text)) return Number(text);
    throw new InvalidArgumentError('1 to 16.');
  });
}

/** The topology, with so many workers. */
function withWorkers(spec: Topology, { workers }: Options): Topology {
  return workers === undefined ? spec : { ...spec, workers };
}

function deviceOption(): Option {
  return new Option('--device <kind>', `the director's devices (default: ${PLAIN_KIND}, where the lab allows)`).choices(
    kindsWith(),
  );
}

const NAME_WIDTH = 27;

function list(): void {
  for (const { name, summary } of topologies) console.log(`${name.padEnd(NAME_WIDTH)}${summary}`);
  for (const lab of listStates()) console.log(`up: ${lab.id} (${lab.device})${conditionOf(lab)}`);
}

function conditionOf(lab: LabState): string {
  if (isLeftOver(lab)) return `, left over from a run that was killed: ulvs lab down ${lab.id} removes it`;
  return isHealthy(lab) ? '' : ', with dead processes';
}

/** Prints an error as one line and sets the exit code. */
async function guarded(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  try {
    await interruptible((reason) => new LabError(reason), work);
  } catch (error) {
    console.error(`ulvs lab: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

function graph(name: string): Promise<void> {
  return guarded(async () => console.log(findTopology(name).drawing));
}

async function runUp(name: string, options: Options & { director: boolean }, signal: AbortSignal): Promise<void> {
  const spec = withWorkers(findTopology(name), options);
  const device = deviceFor(spec, options.device);
  if (await elsewhere(options)) return;
  const why = lacking(spec, device);
  if (why) throw new LabError(why);
  const lab: Lab = await up(spec, { ...options, device }, signal);
  if (!isRootless()) keep(lab);
  console.log(spec.drawing);
  for (const line of howToTry(lab, options.director)) console.log(line);
  if (isRootless()) await untilLeft(lab, signal);
}

/** The lab lives in the namespace of this process. */
async function untilLeft(lab: Lab, signal: AbortSignal): Promise<void> {
  console.log('This shell is inside the lab, with all rights there; when you leave it (exit), the lab is taken down.');
  try {
    await shell(signal);
  } finally {
    await down(lab);
  }
}

async function runTest(
  names: string[],
  options: Options & { json?: true; all?: true; quick?: true },
  signal: AbortSignal,
): Promise<void> {
  const specs = (options.all ? topologies : names.map(findTopology)).map((spec) => withWorkers(spec, options));
  if (specs.length === 0) throw new LabError('which lab? A name or several (see `ulvs lab list`), or --all');
  const devices = specs.map((spec) => deviceFor(spec, options.device));
  if (await elsewhere(options)) return;
  const how: TestOptions = { form: options.json ? 'json' : 'text', sizes: options.quick ? QUICK : SIZES, signal };
  const [first] = specs;
  const passed =
    specs.length === 1 ? await testLab(first!, devices[0]!, how) : await testLabs(specs, options.device, how);
  if (!passed) process.exitCode = 1;
}

async function runDemo(options: Options, signal: AbortSignal): Promise<void> {
  if (!(await elsewhere(options))) await demo(options.device ?? PLAIN_KIND, signal);
}

async function runDown(name: string | undefined, { all, stale }: { all?: true; stale?: true }): Promise<void> {
  if (!name && !all && !stale) throw new LabError('which lab? An id or a name (see `ulvs lab list`), or --all');
  if (!mayMakeNamespaces())
    throw new LabError('labs that root has brought up need root to be taken down: run it with sudo');
  const found = matching(all ? undefined : name).filter((lab) => !stale || isLeftOver(lab));
  if (found.length === 0 && name) throw new LabError(`no lab ${name} is up`);
  for (const lab of found) {
    await down(lab);
    console.log(`down: ${lab.id}`);
  }
}

/** True when the whole of it was done by another process, in a user namespace. Else namespaces can be made here. */
async function elsewhere({ rootless }: Pick<Options, 'rootless'>): Promise<boolean> {
  if (rootless && !isRootless()) {
    process.exitCode = await againRootless();
    return true;
  }
  if (!mayMakeNamespaces())
    throw new LabError('network namespaces need root: run it with sudo, or with --rootless in a user namespace');
  await command('ip', ['-Version']);
  for (const { id } of process.stderr.isTTY ? listStates().filter(isLeftOver) : [])
    console.error(`ulvs lab: ${id} is left over from a run that was killed; \`ulvs lab down ${id}\` removes it`);
  return false;
}

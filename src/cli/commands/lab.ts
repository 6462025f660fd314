/** `ulvs lab`: the topologies of the HOWTO in network namespaces. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { coloured } from '../../control/text/colour.js';
import { forWorkers, kindsWith, PLAIN_KIND } from '../../device/kinds.js';
import { socketPath } from '../../lab/build/config.js';
import { refuseUsedAddress, startConsole } from '../../lab/build/console.js';
import { down, findLabs, isHealthy, type Lab, markKept, up } from '../../lab/build/lab.js';
import { isRootless, mayMakeNamespaces, rerunRootless, rootlessObstacle, shell } from '../../lab/build/rootless.js';
import { isStale, type LabState, listStates } from '../../lab/build/state.js';
import { demo } from '../../lab/demo.js';
import { LabError } from '../../lab/error.js';
import { hintsFor } from '../../lab/hints.js';
import { deviceFor, QUICK, SIZES, type TestOptions, testLab } from '../../lab/test.js';
import { testLabs } from '../../lab/test-many.js';
import { basics, findTopology, topologies } from '../../lab/topologies/index.js';
import type { LabDevice, Topology } from '../../lab/topology.js';
import { command } from '../../sys/command.js';
import { interruptible } from '../interruptible.js';
import { addChaosCommand } from '../lab/chaos.js';
import { labExecCommand } from '../lab/exec.js';
import { addFaultCommands } from '../lab/faults.js';
import { addFloodCommand } from '../lab/flood.js';
import { addOutageCommand } from '../lab/outage.js';
import { addSoakCommand } from '../lab/soak.js';

interface Options {
  device?: LabDevice;
  workers?: number;
  user?: string;
  name?: string;
  rootless?: true;
}

export function labCommand(): Command {
  const lab = new Command('lab')
    .description(
      `the LVS-HOWTO's topologies (${topologies.length}) in network namespaces, with a real client and real servers`,
    )
    .enablePositionalOptions(); // `lab exec` leaves the options of its command alone
  lab
    .command('list')
    .description('list the topologies (level: easy, medium or hard; what each teaches) and the labs that are up')
    .option('--running', 'only the labs that are up')
    .action(list);
  lab.command('graph').argument('<name>', 'a topology of `ulvs lab list`').description('draw a topology').action(graph);
  lab
    .command('up')
    .argument('<name>', 'a topology of `ulvs lab list`')
    .description('bring up a lab and leave it running')
    .addOption(deviceOption())
    .addOption(workersOption())
    .option('--user <name>', USER)
    .option('--name <word>', 'the lab is TOPOLOGY-WORD, as are its namespaces; without it the word is random')
    .option('--no-director', 'without the director, which you start by hand')
    .option('--console [listen]', 'serve the console of its director (default: 127.0.0.1:9732)')
    .option('--rootless', 'run in a user namespace, until you leave its shell')
    .action((name, options) => guarded((signal) => runUp(name, options, signal)));
  lab
    .command('test')
    .argument('[names...]', 'topologies')
    .description('bring up labs, check them end to end and take them down; several run in parallel, one for each CPU')
    .option('--all', `all ${topologies.length} topologies`)
    .addOption(deviceOption())
    .addOption(workersOption())
    .option('--user <name>', USER)
    .option('--rootless', 'run in a user namespace')
    .option('--quick', 'less traffic, about a tenth')
    .option('--json', 'print one JSON object for each check, or for each lab if there are several')
    .action((names, options) => guarded((signal) => runTest(names, options, signal)));
  lab
    .command('down')
    .argument('[name]', 'the id of a lab, or a topology')
    .description('take down a lab by id, or all labs of a topology')
    .option('--all', 'all labs that are up')
    .option('--stale', 'the labs that killed runs left behind')
    .action((name, options) => guarded(() => runDown(name, options)));
  lab
    .command('demo')
    .description(
      `show ${basics.length} labs (${basics.map(({ name }) => name).join(', ')}) in a minute: answers, tables, one packet at each hop`,
    )
    .addOption(deviceOption())
    .option('--rootless', 'run in a user namespace')
    .action((options: Options) => guarded((signal) => runDemo(options, signal)));
  lab.addCommand(labExecCommand());
  addFaultCommands(lab, { guarded, ranInUserNamespace });
  addOutageCommand(lab, guarded);
  addSoakCommand(lab, guarded);
  addChaosCommand(lab, guarded);
  addFloodCommand(lab, guarded);
  return lab;
}

const USER = 'the director gives up root and becomes this user';

function workersOption(): Option {
  return new Option(
    '--workers <n>',
    `number of worker threads of the director (default: 1); needs ${forWorkers().join(' or ')} devices`,
  ).argParser((text) => {
    if (/^([1-9]|1[0-6])$/.test(text)) return Number(text);
    throw new InvalidArgumentError('A whole number from 1 to 16.');
  });
}

/** The topology with the number of workers and the user that were asked for. */
function adapted(spec: Topology, { workers, user }: Options): Topology {
  return { ...spec, ...(workers !== undefined && { workers }), ...(user !== undefined && { user }) };
}

function deviceOption(): Option {
  return new Option(
    '--device <kind>',
    `kind of the director's devices (default: ${PLAIN_KIND}, if the lab works with it)`,
  ).choices(kindsWith());
}

const NAME_WIDTH = 26;
const LEVEL_WIDTH = 8;

function list({ running }: { running?: true }): void {
  const labs = listStates();
  if (!running) for (const spec of topologies) console.log(listLine(spec));
  for (const lab of labs) console.log(`up: ${lab.id} (${lab.device})${conditionOf(lab)}`);
  if (running && labs.length === 0) console.log('no lab is up');
}

function listLine({ name, level, teaches }: Topology): string {
  return `${name.padEnd(NAME_WIDTH)}${level.padEnd(LEVEL_WIDTH)}${teaches}`;
}

function conditionOf(lab: LabState): string {
  if (isStale(lab)) return coloured('yellow', `, left behind by a killed run: ulvs lab down ${lab.id} removes it`);
  return isHealthy(lab) ? '' : coloured('red', ', some of its processes have ended');
}

/** Runs a command; prints an error as one line and sets the exit code 1. */
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

interface UpCommand extends Options {
  director: boolean;
  console?: string | true;
}

async function runUp(name: string, options: UpCommand, signal: AbortSignal): Promise<void> {
  refuseConsole(options);
  const spec = adapted(findTopology(name), options);
  const device = deviceFor(spec, options.device);
  if (await ranInUserNamespace(options)) return;
  const why = rootlessObstacle(spec, device);
  if (why) throw new LabError(why);
  if (options.console !== undefined) await refuseUsedAddress(listenOf(options));
  const lab: Lab = await up(spec, { ...options, device }, signal);
  if (!isRootless()) markKept(lab);
  console.log(spec.drawing);
  for (const line of hintsFor(lab, options.director)) console.log(line);
  if (options.console !== undefined) console.log(await startConsole(lab, listenOf(options)));
  if (isRootless()) await untilLeft(lab, signal);
}

/** Throws a LabError where a browser could not reach the console, or it would have no director. */
function refuseConsole({ console: wanted, rootless, director }: UpCommand): void {
  if (wanted === undefined) return;
  if (rootless) throw new LabError('--console: a browser does not reach a lab in a user namespace; use sudo');
  if (!director) throw new LabError('--console: there is no director; start one, then `ulvs console --lab NAME`');
}

function listenOf({ console: wanted }: UpCommand): string {
  return typeof wanted === 'string' ? wanted : '127.0.0.1:9732';
}

/** The lab exists in the user namespace of this process only: it lives as long as the shell. */
async function untilLeft(lab: Lab, signal: AbortSignal): Promise<void> {
  console.log(
    'This shell runs inside the lab with all privileges there. The lab is taken down when you exit the shell.',
  );
  try {
    await shell(signal, { ULVS_SOCKET: socketPath(lab.id) });
  } finally {
    await down(lab);
  }
}

async function runTest(
  names: string[],
  options: Options & { json?: true; all?: true; quick?: true },
  signal: AbortSignal,
): Promise<void> {
  const specs = (options.all ? topologies : names.map(findTopology)).map((spec) => adapted(spec, options));
  if (specs.length === 0) throw new LabError('name one or several labs (`ulvs lab list` shows them), or give --all');
  const devices = specs.map((spec) => deviceFor(spec, options.device));
  if (await ranInUserNamespace(options)) return;
  const how: TestOptions = { form: options.json ? 'json' : 'text', sizes: options.quick ? QUICK : SIZES, signal };
  const [first] = specs;
  const passed =
    specs.length === 1 ? await testLab(first!, devices[0]!, how) : await testLabs(specs, options.device, how);
  if (!passed) process.exitCode = 1;
}

async function runDemo(options: Options, signal: AbortSignal): Promise<void> {
  if (!(await ranInUserNamespace(options))) await demo(options.device ?? PLAIN_KIND, signal);
}

async function runDown(name: string | undefined, { all, stale }: { all?: true; stale?: true }): Promise<void> {
  if (!name && !all && !stale)
    throw new LabError('name a lab by id or topology (`ulvs lab list` shows them), or give --all');
  if (!mayMakeNamespaces()) throw new LabError('only root may take down the labs of root: run it with sudo');
  const found = findLabs(all ? undefined : name).filter((lab) => !stale || isStale(lab));
  if (found.length === 0 && name) throw new LabError(`no lab ${name} is up`);
  for (const lab of found) {
    const foreign = await down(lab);
    console.log(`down: ${lab.id}`);
    for (const line of foreign) console.error(`ulvs lab: ${line}`);
  }
}

/**
 * With --rootless runs the command again in a user namespace and returns true. Otherwise returns
 * false once it is clear that namespaces can be created here. Throws a LabError without the
 * privilege.
 */
async function ranInUserNamespace({ rootless }: Pick<Options, 'rootless'>): Promise<boolean> {
  if (rootless && !isRootless()) {
    process.exitCode = await rerunRootless();
    return true;
  }
  if (!mayMakeNamespaces())
    throw new LabError('network namespaces need root: run it with sudo, or with --rootless in a user namespace');
  await command('ip', ['-Version']);
  for (const { id } of process.stderr.isTTY ? listStates().filter(isStale) : [])
    console.error(`ulvs lab: ${id} was left behind by a killed run; \`ulvs lab down ${id}\` removes it`);
  return false;
}

/** `ulvs lab list|up|test|down|graph|demo`. */
import { Command, Option } from 'commander';
import { command, LabError } from '../lab/command.js';
import { demo } from '../lab/demo.js';
import { howToTry } from '../lab/howto.js';
import { down, isHealthy, type Lab, matching, up } from '../lab/lab.js';
import { listStates } from '../lab/state.js';
import { testLab } from '../lab/test.js';
import { findTopology, topologies } from '../lab/topologies/index.js';
import type { LabDevice } from '../lab/topology.js';

const DEVICES: LabDevice[] = ['xdp', 'packet', 'cap', 'tap'];

interface DeviceOption {
  device: LabDevice;
}

export function labCommand(): Command {
  const lab = new Command('lab').description('topologies of the LVS-HOWTO in network namespaces, with real servers');
  lab.command('list').description('the topologies, and what is up').action(list);
  lab.command('graph <name>').description('draw a topology').action(graph);
  lab
    .command('up <name>')
    .description('start a lab and leave it running')
    .addOption(deviceOption())
    .option('--no-director', 'everything but the director, which you start by hand')
    .action((name, options) => guarded((signal) => runUp(name, options, signal)));
  lab
    .command('test <name>')
    .description('start a lab, check it from end to end, and take it down')
    .addOption(deviceOption())
    .option('--json', 'one JSON object a check, for machines')
    .action((name, options) => guarded((signal) => runTest(name, options, signal)));
  lab
    .command('down [name]')
    .description('take down labs: by id, or all of a topology')
    .option('--all', 'every lab that is up')
    .action((name, options) => guarded(() => runDown(name, options)));
  lab
    .command('demo')
    .description('all four labs in a minute: who answered, the tables, one packet at each hop')
    .addOption(deviceOption())
    .action((options: DeviceOption) => guarded((signal) => demo(options.device, signal)));
  return lab;
}

function deviceOption(): Option {
  return new Option('--device <kind>', "the director's devices").choices(DEVICES).default('packet');
}

function list(): void {
  const running = listStates();
  for (const { name, summary } of topologies) console.log(`${name.padEnd(8)}${summary}`);
  for (const lab of running)
    console.log(`up: ${lab.id} (${lab.device})${isHealthy(lab) ? '' : ', with dead processes'}`);
}

/** Prints an error as one line and sets the exit code; ctrl-C and SIGTERM abort the work, which then cleans up. */
async function guarded(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const stop = () => abort.abort(new LabError('interrupted; everything is taken down again'));
  const unread = () => abort.abort(new LabError('nobody reads the output any more; everything is taken down again'));
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
  process.stdout.on('error', unread); // `make demo | head`
  try {
    await work(abort.signal);
  } catch (error) {
    // An interrupted step fails in its own words; what matters is that it was interrupted.
    const { message } = abort.signal.aborted ? (abort.signal.reason as Error) : (error as Error);
    console.error(`ulvs lab: ${message}`);
    process.exitCode = 1;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', stop);
  }
}

function graph(name: string): Promise<void> {
  return guarded(async () => console.log(findTopology(name).drawing));
}

async function runUp(name: string, options: DeviceOption & { director: boolean }, signal: AbortSignal): Promise<void> {
  const spec = findTopology(name);
  await needRoot();
  const lab: Lab = await up(spec, options, signal);
  console.log(spec.drawing);
  for (const line of howToTry(lab, options.director)) console.log(line);
}

async function runTest(name: string, options: DeviceOption & { json?: true }, signal: AbortSignal): Promise<void> {
  const spec = findTopology(name);
  await needRoot();
  const passed = await testLab(spec, options.device, options.json ? 'json' : 'text', signal);
  if (!passed) process.exitCode = 1;
}

async function runDown(name: string | undefined, { all }: { all?: true }): Promise<void> {
  if (!name && !all) throw new LabError('which lab? An id or a name (see `ulvs lab list`), or --all');
  const found = matching(all ? undefined : name);
  if (found.length === 0 && name) throw new LabError(`no lab ${name} is up`);
  for (const lab of found) {
    await down(lab);
    console.log(`down: ${lab.id}`);
  }
}

async function needRoot(): Promise<void> {
  if (process.getuid?.() !== 0) throw new LabError('network namespaces need root: run it with sudo');
  await command('ip', ['-Version']);
}

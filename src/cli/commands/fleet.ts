/** `ulvs fleet`: the directors of a fleet, and the drain of one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { AnnounceStatus } from '../../control/api/api.js';
import { ask } from '../../control/api/ask.js';
import { loadConfig } from '../../control/config/config.js';
import { EtcdClient } from '../../control/fleet/etcd-client.js';
import { readView } from '../../control/fleet/view.js';
import { viewText } from '../fleet/view-text.js';
import { guarded, UserError } from '../guard.js';
import { socketOption, withDirector } from '../inquiry.js';
import { readStatus } from './status.js';

export function fleetCommand(): Command {
  const fleet = new Command('fleet').description(
    'directors that share rules in etcd and announce the same VIPs to a router',
  );
  fleet
    .command('status')
    .description('list the directors of the fleet: rules, announced VIPs, connections')
    .option('-c, --config <file>', 'a director.yaml of the fleet; without it that of the running director')
    .option('--json', 'print one JSON object')
    .addOption(socketOption())
    .action((options: StatusOptions) => guarded(() => status(options)));
  fleet
    .command('drain')
    .description('withdraw the VIPs of this director, wait until clients send it nothing more, and stop it')
    .addOption(seconds('--timeout <s>', 'longest time to wait for the clients', 60))
    .addOption(seconds('--quiet <s>', 'time without packets of clients that counts as drained', 3))
    .option('--no-stop', 'leave the director running')
    .addOption(socketOption())
    .action((options: DrainOptions) => guarded(() => drain(options)));
  fleet
    .command('undrain')
    .description('announce the VIPs of this director again')
    .addOption(socketOption())
    .action(({ socket }: { socket: string }) => guarded(() => undrain(socket)));
  return fleet;
}

interface StatusOptions {
  config?: string;
  json?: true;
  socket: string;
}

interface DrainOptions {
  timeout: number;
  quiet: number;
  stop: boolean;
  socket: string;
}

function seconds(flags: string, text: string, fallback: number): Option {
  return new Option(flags, text).default(fallback).argParser((given) => {
    if (/^\d{1,5}$/.test(given)) return Number(given);
    throw new InvalidArgumentError('A whole number of seconds.');
  });
}

async function status({ config, json, socket }: StatusOptions): Promise<void> {
  const file = config ?? (await readStatus(socket)).config;
  const { rules } = loadConfig(file);
  if (rules === undefined)
    throw new UserError(`${file}: there is no fleet: rules are not in etcd; write rules: { etcd: { endpoints: […] } }`);
  const view = await readView(new EtcdClient(rules.etcd), rules.etcd.prefix);
  console.log(json ? JSON.stringify(view, null, 2) : viewText(view, Date.now()));
  if (view.directors.some(({ rules }) => rules !== 'equal')) process.exitCode = 1;
}

/** How often the counters are read, ms. */
const LOOK_MS = 500;

async function drain({ timeout, quiet, stop, socket }: DrainOptions): Promise<void> {
  const { pid } = await readStatus(socket);
  const { prefixes } = await withdraw(socket, true);
  if (prefixes.length > 0)
    throw new Error(`${prefixes.join(' ')} could not be withdrawn: the log of the director says why`);
  console.log('withdrawn: the router sends new packets to the other directors');
  const isQuiet = await untilQuiet(socket, timeout * 1000, quiet * 1000);
  console.log(
    isQuiet ? `drained: no packet of a client for ${quiet} s` : `not drained: clients still send after ${timeout} s`,
  );
  if (!isQuiet) process.exitCode = 1;
  if (!stop || !isQuiet) return;
  process.kill(pid, 'SIGTERM');
  await untilGone(pid);
  console.log('stopped');
}

async function undrain(socket: string): Promise<void> {
  const { prefixes } = await withdraw(socket, false);
  console.log(
    prefixes.length > 0 ? `announced: ${prefixes.join(' ')}` : 'nothing to announce: no service has a destination',
  );
}

async function withdraw(socket: string, withdrawn: boolean): Promise<AnnounceStatus> {
  const { status } = await withDirector(socket, (client) => ask(client, { op: 'withdraw', withdrawn }));
  if (status?.announce === undefined) throw new Error(`the director on ${socket} sent no status`);
  return status.announce;
}

/** Whether no packet of a client came in for `quietMs` before `timeoutMs` were over. */
async function untilQuiet(socket: string, timeoutMs: number, quietMs: number): Promise<boolean> {
  const packets = async () => (await readStatus(socket)).total.inpkts;
  const end = performance.now() + timeoutMs;
  let last = await packets();
  for (let since = performance.now(); performance.now() - since < quietMs; await sleep(LOOK_MS)) {
    if (performance.now() > end) return false;
    const now = await packets();
    if (now !== last) since = performance.now();
    last = now;
  }
  return true;
}

/** Waits until a process has ended, 30 s at most. */
async function untilGone(pid: number): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(50)) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
  }
  throw new Error(`the director (pid ${pid}) did not stop in 30 s`);
}

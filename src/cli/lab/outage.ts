/** `ulvs lab outage`: what connections lose when an interface of the director goes and comes. */
import type { Command } from 'commander';
import { tick } from '../../control/text/colour.js';
import { didYouMean } from '../../control/text/did-you-mean.js';
import { mayMakeNamespaces } from '../../lab/build/rootless.js';
import { LabError } from '../../lab/error.js';
import type { MethodName } from '../../lab/flood/testbed.js';
import { median } from '../../lab/median.js';
import { events, type OutageEvent } from '../../lab/outage/events.js';
import { isPassed, type Outcome, tryOutage } from '../../lab/outage/run.js';
import type { Stalls } from '../../lab/outage/stall.js';
import type { LabDevice } from '../../lab/topology.js';
import { addDirectorOptions, addLoadOptions, LOAD_KINDS } from './load-options.js';
import { wholeNumber } from './whole-number.js';

interface Options {
  readonly device: LabDevice;
  readonly method: MethodName;
  readonly rounds: number;
  readonly downloads: number;
  readonly flows: number;
  readonly rate: number;
  readonly pace: number;
  readonly workers?: number;
  readonly synproxy?: true;
  readonly realtime?: true;
  readonly longest: number;
  readonly all?: true;
  readonly json?: true;
}

const REALTIME = 'workerPriority: realtime';

export function addOutageCommand(
  lab: Command,
  guarded: (work: (signal: AbortSignal) => Promise<void>) => Promise<void>,
): void {
  const command = lab
    .command('outage')
    .argument('[event...]', 'events to make happen; without them all are listed')
    .description(
      `list the ${events.length} events; with names or --all: make each happen to a director under load, and count what was lost`,
    )
    .option('--all', 'every event')
    .option('--rounds <n>', 'how often each event happens', wholeNumber(1, 1000), 1)
    .option('--longest <ms>', 'the longest gap by the other interface that passes', wholeNumber(1, 60_000), 250)
    .option('--synproxy', 'a SYN proxy opens all TCP connections (method nat only)')
    .option('--realtime', 'the director has workerPriority: realtime, and hardly waits for a processor')
    .option('--json', 'print one JSON object for each event');
  addLoadOptions(addDirectorOptions(command), { downloads: 20, flows: 4, rate: 50, pace: 5 }).action(
    (names: string[], options: Options) => guarded(() => run(names, options)),
  );
}

async function run(names: readonly string[], options: Options): Promise<void> {
  const wanted = options.all ? events.filter((event) => fits(event, options)) : names.map(find);
  if (wanted.length === 0) return list();
  if (!mayMakeNamespaces()) throw new LabError('only root may make the namespaces of this lab: run it with sudo');
  if (options.synproxy && options.method !== 'nat') throw new LabError('--synproxy needs --method nat');
  let passed = true;
  for (const event of wanted) {
    const outcome = await tryOutage(event, { ...options, ...(options.realtime && { more: REALTIME }) });
    const ok = isPassed(outcome, event, options.longest);
    passed &&= ok;
    if (options.json) console.log(JSON.stringify({ ...outcome, ok }));
    else print(outcome, event, ok);
  }
  if (!passed) process.exitCode = 1;
}

function fits({ needsXdp }: OutageEvent, { device }: Options): boolean {
  return needsXdp !== true || device === LOAD_KINDS[0];
}

function find(name: string): OutageEvent {
  const found = events.find((event) => event.name === name);
  if (found !== undefined) return found;
  const all = events.map((event) => event.name);
  throw new LabError(`no event ${name}${didYouMean(name, all)}; there are ${all.join(', ')}`);
}

function list(): void {
  const width = Math.max(...events.map(({ name }) => name.length)) + 2;
  for (const { name, title } of events) console.log(`${name.padEnd(width)}${title}`);
}

function print(outcome: Outcome, { title }: OutageEvent, ok: boolean): void {
  const { event, device, method, rounds, before, other, hit, log } = outcome;
  console.log(`${tick(ok)} ${event} (${device}, ${method}${rounds > 1 ? `, ${rounds} times` : ''}): ${title}`);
  console.log(`  before         longest gap ${Math.round(before.flowGap)} ms`);
  for (const [name, path] of [
    ['by eth0', other],
    ['by eth1', hit],
  ] as const)
    console.log(
      `  ${name}        longest gap ${path.flowGap} ms${outcome.rounds > 1 ? `, median ${path.medianGap} ms` : ''}, of a download ${path.downloadGap} ms; frames lost ${path.framesLost} of ${path.frames}; ` +
        `downloads lost ${path.lost} of ${path.downloads}, wrong bytes ${path.wrong}; ` +
        `new connections ${path.opened}, failed ${path.refused}`,
    );
  const { stalls } = outcome;
  console.log(`  director       ${stallText(stalls.rounds, stalls.before)}`);
  if (stalls.undone.length > 0) console.log(`  removal        ${stallText(stalls.undone, stalls.before)}`);
  if (outcome.took !== undefined) console.log(`  took           ${outcome.took.join(', ')} ms`);
  if (outcome.socketDrops > 0)
    console.log(`  testbed        sockets of client and realserver dropped ${outcome.socketDrops} datagrams`);
  for (const line of log.slice(0, 6)) console.log(`  log            ${line}`);
}

function stallText(rounds: readonly Stalls[], before: Stalls): string {
  const text = (word: string, all: readonly number[], calm: number | undefined) =>
    `${word} ${Math.max(...all)} ms${all.length > 1 ? `, median ${median(all)} ms` : ''}; before ${calm} ms`;
  const longest = text(
    'longest stall',
    rounds.map(({ longest: ms }) => ms),
    before.longest,
  );
  const own = rounds.map((round) => round.own).filter((ms) => ms !== undefined);
  return own.length === 0 ? longest : `${longest}. Without pauses of the machine: ${text('longest', own, before.own)}`;
}

/** `ulvs lab flood`: who gets through while a flood comes, and by which defence. */
import { type Command, Option } from 'commander';
import { kindsWith } from '../../device/kinds.js';
import { mayMakeNamespaces } from '../../lab/build/rootless.js';
import { LabError } from '../../lab/error.js';
import { ATTACKS, DEFENCES } from '../../lab/flood/attacks.js';
import { capacityOf, type TrialOptions, type TrialResult, tryFlood } from '../../lab/flood/trial.js';
import type { Bulk } from '../../lab/outage/measure.js';
import type { LabDevice } from '../../lab/topology.js';
import { wholeNumber } from './whole-number.js';

interface Options extends Omit<TrialOptions, 'device'> {
  readonly device: LabDevice[];
  readonly attack: string[];
  readonly defence: string[];
  readonly json?: true;
}

const DEVICES = kindsWith(({ thread }) => thread === 'worker');
/** Columns of the table, and their widths. */
const COLUMNS = {
  device: 7,
  flood: 10,
  defence: 12,
  'frames/s': 9,
  'new clients': 18,
  downloads: 10,
  'gap ms': 7,
  open: 8,
  new: 10,
  MB: 11,
  lines: 7,
};

export function addFloodCommand(
  lab: Command,
  guarded: (work: (signal: AbortSignal) => Promise<void>) => Promise<void>,
): void {
  const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
  lab
    .command('flood')
    .description('downloads and new clients while a flood comes: who gets through, by which defence')
    .addOption(
      new Option('--device <kind...>', "kinds of the director's devices").choices(DEVICES).default([DEVICES[0]]),
    )
    .addOption(new Option('--attack <name...>', 'floods').choices(names(ATTACKS)).default(['syn']))
    .addOption(new Option('--defence <name...>', 'defences').choices(names(DEFENCES)).default(names(DEFENCES), 'all'))
    .option('--lines <n>', 'lines of the connection table', wholeNumber(1000, 2 ** 24), 131_072)
    .option(
      '--times <n>',
      'the rate: so many times what half-open connections of 60 s leave room for',
      wholeNumber(1, 100),
      5,
    )
    .option('--seconds <n>', 'measured time of a trial, after the table is full', wholeNumber(1, 600), 10)
    .option('--downloads <n>', 'open downloads', wholeNumber(1, 1000), 50)
    .option('--clients <n>', 'new clients a second', wholeNumber(1, 2000), 100)
    .option('--json', 'print one JSON object for each trial')
    .action((options: Options) => guarded((signal) => run(options, signal)));
}

async function run(options: Options, signal: AbortSignal): Promise<void> {
  if (!mayMakeNamespaces()) throw new LabError('only root may make the namespaces of this lab: run it with sudo');
  if (!options.json) console.log(introduction(options));
  for (const device of options.device)
    for (const attack of ATTACKS.filter(({ name }) => options.attack.includes(name)))
      for (const defence of DEFENCES.filter(({ name }) => options.defence.includes(name))) {
        signal.throwIfAborted();
        const result = await tryFlood(attack, defence, { ...options, device });
        console.log(options.json ? JSON.stringify(result) : line(cellsOf(result)));
      }
}

function introduction({ lines, times, clients, downloads }: Options): string {
  const capacity = capacityOf(lines);
  return [
    `A table of ${lines} lines holds half-open connections of ${capacity} SYNs a second; the flood has ${times} times that.`,
    `With it go on ${clients} new clients a second and ${downloads} downloads.`,
    'Of two downloads of 50 MB one is open before the flood, and one is new when the table is full.',
    '',
    line(Object.keys(COLUMNS)),
  ].join('\n');
}

function cellsOf(one: TrialResult): string[] {
  const bulks = [one.open, one.bulk].map(bulkText);
  const clients = `${one.percent.toFixed(1)} % of ${one.served + one.failed}`;
  const memory = `${one.memoryBefore} → ${one.memory}`;
  const lost = one.lost === 0 ? 'whole' : `${one.lost} broken`;
  return [
    one.device,
    one.attack,
    one.defence,
    `${one.sent}`,
    clients,
    lost,
    `${one.gap}`,
    ...bulks,
    memory,
    `${one.used}`,
  ];
}

/** A client without a connection got nothing: that is no broken download. */
export function bulkText({ isWhole, bytes, ms }: Bulk): string {
  if (isWhole) return `${(ms / 1000).toFixed(1)} s`;
  return bytes === 0 ? 'not opened' : 'broken';
}

const WIDTHS = Object.values(COLUMNS);

function line(cells: readonly string[]): string {
  return cells
    .map((cell, i) => cell.padEnd(WIDTHS[i]!))
    .join(' ')
    .trimEnd();
}

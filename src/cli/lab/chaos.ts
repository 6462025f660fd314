/** `ulvs lab chaos`: random faults by a seed, while traffic flows. */
import type { Command } from 'commander';
import { tick } from '../../control/text/colour.js';
import { mayMakeNamespaces } from '../../lab/build/rootless.js';
import { type ChaosOptions, type ChaosResult, chaos, chaosPlan } from '../../lab/chaos/chaos.js';
import { FAULTS } from '../../lab/chaos/faults.js';
import { stepText } from '../../lab/chaos/plan.js';
import { LabError } from '../../lab/error.js';
import { addDirectorOptions, addLoadOptions } from './load-options.js';
import { wholeNumber } from './whole-number.js';

const MOST_SEED = 2 ** 31 - 1;

interface Options extends ChaosOptions {
  readonly rounds: number;
  readonly plan?: true;
  readonly json?: true;
}

export function addChaosCommand(
  lab: Command,
  guarded: (work: (signal: AbortSignal) => Promise<void>) => Promise<void>,
): void {
  const command = lab
    .command('chaos')
    .description(
      `${FAULTS.length} kinds of faults at random while traffic flows; what must hold is looked at all the time`,
    )
    .option('--seed <n>', 'the same seed makes the same faults', wholeNumber(0, MOST_SEED), 1)
    .option('--seconds <n>', 'how long faults begin', wholeNumber(1, 3600), 60)
    .option('--rounds <n>', 'how many runs, each with the next seed', wholeNumber(1, 10_000), 1)
    .option('--plan', 'only print the faults')
    .option('--json', 'print one JSON object for each run');
  addLoadOptions(addDirectorOptions(command), { downloads: 10, flows: 1, rate: 20, pace: 20 }, 1).action(
    (options: Options) => guarded((signal) => run(options, signal)),
  );
}

async function run(options: Options, signal: AbortSignal): Promise<void> {
  const seeds = Array.from({ length: options.rounds }, (_, i) => options.seed + i);
  if (options.plan) return printPlans(seeds, options);
  if (!mayMakeNamespaces()) throw new LabError('only root may make the namespaces of this lab: run it with sudo');
  for (const seed of seeds) {
    signal.throwIfAborted();
    const result = await chaos({ ...options, seed }, signal);
    console.log(options.json ? JSON.stringify(result) : textOf(result));
    if (result.broken.length > 0) process.exitCode = 1;
  }
}

function printPlans(seeds: readonly number[], { seconds }: Options): void {
  for (const seed of seeds) {
    console.log(`seed ${seed}`);
    for (const step of chaosPlan({ seed, seconds })) console.log(stepText(step));
  }
}

function textOf({
  seed,
  device,
  method,
  steps,
  looks,
  bytes,
  opened,
  refused,
  lostToVictims,
  broken,
}: ChaosResult): string {
  return [
    `${tick(broken.length === 0)} seed ${seed} (${device}, ${method}): ${steps} faults, ${looks} looks at what must hold; ` +
      `${Math.round(bytes / 1000)} kB by downloads, connections opened ${opened}, failed ${refused}, lost with their realserver ${lostToVictims}`,
    ...broken.map((sentence) => `  ${sentence}`),
  ].join('\n');
}

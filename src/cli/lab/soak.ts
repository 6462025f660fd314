/** `ulvs lab soak`: hours of traffic; memory, descriptors, frames and latency over time. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { tick } from '../../control/text/colour.js';
import { mayMakeNamespaces } from '../../lab/build/rootless.js';
import { LabError } from '../../lab/error.js';
import type { Sample } from '../../lab/soak/sample.js';
import { type SoakOptions, soak } from '../../lab/soak/soak.js';
import { verdictOf } from '../../lab/soak/verdict.js';
import { addDirectorOptions, addLoadOptions } from './load-options.js';
import { wholeNumber } from './whole-number.js';

interface Options extends SoakOptions {
  readonly out: string;
}

export function addSoakCommand(
  lab: Command,
  guarded: (work: (signal: AbortSignal) => Promise<void>) => Promise<void>,
): void {
  const command = lab
    .command('soak')
    .description('hours of traffic, reloads, listings and traces; what the director holds, over time')
    .option('--hours <n>', 'how long', hours, 2)
    .option('--every <s>', 'time between two samples', wholeNumber(1, 3600), 10)
    .option('--out <file>', 'the samples, one JSON object a line', 'soak.jsonl');
  addLoadOptions(addDirectorOptions(command), { downloads: 20, flows: 2, rate: 100, pace: 20 }).action(
    (options: Options) => guarded((signal) => run(options, signal)),
  );
}

function hours(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1000) return value;
  throw new InvalidArgumentError('A number above 0, at most 1000.');
}

async function run(options: Options, signal: AbortSignal): Promise<void> {
  if (!mayMakeNamespaces()) throw new LabError('only root may make the namespaces of this lab: run it with sudo');
  const samples: Sample[] = [];
  writeFileSync(options.out, '');
  await soak(
    options,
    (sample) => {
      samples.push(sample);
      appendFileSync(options.out, `${JSON.stringify(sample)}\n`);
      console.log(lineOf(sample));
    },
    signal,
  );
  const { faults, ...figures } = verdictOf(samples);
  console.log(JSON.stringify(figures));
  for (const fault of faults) console.log(`${tick(false)} ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
  else console.log(`${tick(true)} nothing grew, nothing was lost, every frame came back`);
}

function lineOf({ at, rss, heap, descriptors, frames, echo, opening, sent, echoed, opened, refused }: Sample): string {
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  return (
    `${String(at).padStart(6)} s  RSS ${mb(rss)}, heap ${mb(heap)}, ${descriptors} descriptors, ${frames.inUse} frames in use; ` +
    `echo ${echo.p50}/${echo.p99} ms, ${sent - echoed} of ${sent} without; opening ${opening.p50}/${opening.p99} ms, ${refused} of ${opened + refused} failed`
  );
}

/**
 * `make fuzz [TARGET=NAME,…] [TIME=SECONDS]`: fuzzes the targets one after the other, TIME seconds
 * each (60 unless told), keeps their corpora and prints executions and coverage. Exit code 1 when
 * one failed; the failing inputs are then in build/fuzz-NAME.json.
 */
import { writeFileSync } from 'node:fs';
import { Random } from '../support/seed.js';
import { type Failure, fuzz } from './engine/campaign.js';
import { Corpus } from './engine/corpus.js';
import { blocks, coverageOf } from './engine/coverage.js';
import type { Target } from './engine/target.js';
import { TARGETS } from './targets/index.js';

const CORPUS = 'test/fuzz/corpus';
const [names = '', seconds = '60', seed = '1'] = process.argv.slice(2);

function chosen(): readonly Target[] {
  if (names === '') return TARGETS;
  return names.split(',').flatMap((name) => TARGETS.find((one) => one.name === name) ?? missing(name));
}

function missing(name: string): never {
  process.stderr.write(`no target ${name}; there are ${TARGETS.map((one) => one.name).join(', ')}\n`);
  process.exit(2);
}

function report({ message, epoch, inputs }: Failure, name: string): void {
  const file = `build/fuzz-${name}.json`;
  const hex = inputs.map((input) => Buffer.from(input).toString('hex'));
  writeFileSync(file, JSON.stringify({ target: name, epoch, inputs: hex, message }, undefined, 1));
  process.stdout.write(`${name}: FAILED with ${inputs.length} inputs (${file})\n${message}\n`);
}

let failed = false;
for (const target of chosen()) {
  blocks.reached.fill(0);
  blocks.count = 0;
  const corpus = new Corpus(CORPUS, target.name);
  const began = performance.now();
  const outcome = await fuzz(target, corpus.read(), { seconds: Number(seconds) }, new Random(Number(seed)));
  const took = (performance.now() - began) / 1000;
  corpus.write(outcome.corpus, target.seeds());
  const { reached, all } = coverageOf(target.covers);
  const share = all === 0 ? 0 : (100 * reached) / all;
  process.stdout.write(
    `${target.name.padEnd(10)} ${String(outcome.executions).padStart(10)} executions in ${took.toFixed(0)} s, ` +
      `${reached} of ${all} blocks (${share.toFixed(1)}%), corpus ${outcome.corpus.length}\n`,
  );
  if (outcome.failure) {
    failed = true;
    report(outcome.failure, target.name);
  }
}
process.exit(failed ? 1 : 0);

/**
 * `make bench`: runs the questions one after the other, each in its own process, and prints a
 * summary: which ran, how long they took, what was skipped and why. A question that fails does not
 * stop the next ones; the exit code is then 1.
 *
 *     node build/bench/run.js [--quick] [QUESTION ...]
 */
import { existsSync, readFileSync } from 'node:fs';
import { ask, type Outcome } from './support/ask.js';
import { QUICK, WORDS } from './support/options.js';
import { QUESTIONS } from './support/questions.js';
import { resultFile } from './support/result.js';
import type { Skip } from './support/skips.js';

const unknown = WORDS.filter((word) => !QUESTIONS.some(({ name }) => name === word));
if (unknown.length > 0) {
  console.error(
    `bench: unknown question: ${unknown.join(', ')}; the questions are ${QUESTIONS.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

function partsSkipped({ question, state }: Outcome): Skip[] {
  const file = resultFile(question.name);
  if (state !== 'ran' || !existsSync(file)) return [];
  return (JSON.parse(readFileSync(file, 'utf8')) as { skipped?: Skip[] }).skipped ?? [];
}

function linesOf(outcome: Outcome): string[] {
  const { question, state, seconds, reason } = outcome;
  const time = state === 'skipped' ? '' : `${seconds.toFixed(0)} s`;
  const head = `  ${question.name.padEnd(11)} ${state.padEnd(8)} ${time.padStart(6)}${reason === '' ? '' : `  ${reason}`}`;
  return [head.trimEnd(), ...partsSkipped(outcome).map(({ name, reason: why }) => `      skipped: ${name}: ${why}`)];
}

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    interrupted = true;
  });

const outcomes: Outcome[] = [];
for (const question of QUESTIONS.filter(({ name }) => WORDS.length === 0 || WORDS.includes(name))) {
  if (interrupted) break;
  outcomes.push(await ask(question, QUICK ? ['--quick'] : []));
}
const count = (state: Outcome['state']) => outcomes.filter((one) => one.state === state).length;
const total = outcomes.reduce((sum, { seconds }) => sum + seconds, 0);
const results = QUICK ? 'quick run: rough figures in build/bench/results' : 'results in bench/results';
console.log(
  `\nbench: ${count('ran')} ran, ${count('skipped')} skipped, ${count('failed')} failed; ${total.toFixed(0)} s; ${results}`,
);
for (const line of outcomes.flatMap(linesOf)) console.log(line);
process.exitCode = interrupted ? 130 : count('failed') > 0 ? 1 : 0;

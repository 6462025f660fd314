/** Names and their meanings as lines of help, in 80 columns. */
import { Help } from 'commander';
import type { Fact } from './row.js';

/** The width of help in a pipe; Commander wraps its own part at the same column. */
const COLUMNS = 80;
/** Where a name is wider, the meanings stand below the names. */
const WIDEST = 32;

/** Every line ends with a line break. */
export function factsText(facts: readonly Fact[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  const lines = facts.flatMap((fact) => (width > WIDEST ? below(fact) : beside(fact, width)));
  return lines.map((line) => `${line}\n`).join('');
}

function beside([name, text]: Fact, width: number): string[] {
  const margin = width + 4;
  const [first, ...rest] = wrapped(text, COLUMNS - margin);
  return [`  ${name.padEnd(width)}  ${first}`, ...rest.map((line) => ' '.repeat(margin) + line)];
}

function below([name, text]: Fact): string[] {
  return [`  ${name}`, ...wrapped(text, COLUMNS - 6).map((line) => `      ${line}`)];
}

/** Lines of at most `columns`, 40 or more; a longer word is a line of its own. */
function wrapped(text: string, columns: number): string[] {
  return new Help().boxWrap(text, columns).split('\n');
}

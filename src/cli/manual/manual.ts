/**
 * Exit codes, signals, files and examples of each command. `--help` ends with them;
 * docs/commands.md and the manual pages have them, too. A command without subcommands has a row;
 * its key is the words after `ulvs`.
 */
import { CHANGE_ROWS } from './change.js';
import { DIRECTOR_ROWS } from './director.js';
import { factsText } from './facts-text.js';
import { LAB_ROWS } from './lab.js';
import type { Fact, Manual, Rows } from './row.js';

export const MANUAL: Rows = { ...DIRECTOR_ROWS, ...CHANGE_ROWS, ...LAB_ROWS };

export function exitCodes({ exit }: Manual): Fact[] {
  return exit.map((text, code): Fact => [String(code), text]).filter(([, text]) => text !== '');
}

/** The end of `--help` of the command `name`; '' for a command with subcommands. */
export function manualText(name: string): string {
  const manual = MANUAL[name];
  if (manual === undefined) return '';
  const { signals = [], files = [], examples = [] } = manual;
  return [
    part('Exit codes', exitCodes(manual)),
    part('Signals', signals),
    part('Files', files),
    part('Examples', examples),
  ].join('');
}

function part(title: string, facts: readonly Fact[]): string {
  if (facts.length === 0) return '';
  return `\n${title}:\n${factsText(facts)}`;
}

/** `--help`: how wide it is, and what its end names. */
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { MANUAL, manualText } from '../../../src/cli/manual/manual.js';
import { commandsOf } from '../../../src/cli/new-program.js';
import { ulvsProgram } from '../../../src/cli/program.js';

const COLUMNS = 80;
const all = commandsOf(await ulvsProgram('')).map(({ name, command }) => [name, command] as const);

/** What --help prints, as in a pipe. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (words) => (text += words), getOutHelpWidth: () => COLUMNS }).outputHelp();
  return text;
}

describe('--help', () => {
  it.each(all)('of %s has at most 80 columns, but for a command that is longer', (name, command) => {
    const { examples = [] } = MANUAL[name] ?? {};
    const commands = examples.map(([words]) => `  ${words}`);
    const long = helpOf(command)
      .split('\n')
      .filter((line) => line.length > COLUMNS && !commands.includes(line));
    expect(long).toEqual([]);
  });
});

describe('the end of --help', () => {
  it('has every word of the manual, in its order', () => {
    const words = (text: string) => text.split(/\s+/).filter(Boolean);
    for (const [name, { exit, signals = [], files = [], examples = [] }] of Object.entries(MANUAL)) {
      const facts = [...signals, ...files, ...examples].flat();
      const codes = exit.flatMap((text, code) => (text === '' ? [] : [`${code}`, text]));
      const shown = words(manualText(name).replaceAll(/^(Exit codes|Signals|Files|Examples):$/gm, ''));
      expect(shown).toEqual(words([...codes, ...facts].join(' ')));
    }
  });

  it('has long commands above their meaning, and others beside it', () => {
    expect(manualText('lab list')).toMatch(/^ {2}0 {2}listed$/m);
    expect(manualText('doctor')).toMatch(/^ {2}ulvs doctor +this machine/m);
    expect(manualText('dump')).toMatch(/^ {2}ulvs dump >director.yaml; ulvs check director.yaml\n {6}a file that/m);
  });
});

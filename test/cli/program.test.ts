/** A command that is loaded alone is the one that is loaded with all others. */
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { commandsOf } from '../../src/cli/new-program.js';
import { ulvsProgram } from '../../src/cli/program.js';

const all = (await ulvsProgram('1.2.3')).commands;
const namesOf = (commands: readonly Command[]) => commands.map((one) => one.name());

/** The help of a command and of those below it. */
const helps = (one: Command) =>
  [{ name: one.name(), command: one }, ...commandsOf(one)].map(({ name, command }) => [
    name,
    command.helpInformation(),
  ]);

describe('a command alone', () => {
  it.each(all.filter((one) => one.name() !== 'completion').map((one) => [one.name(), one] as const))(
    '%s has the same help',
    async (name, expected) => {
      const alone = (await ulvsProgram('1.2.3', name)).commands;
      expect(namesOf(alone)).toEqual([name]);
      expect(helps(alone[0]!)).toEqual(helps(expected));
    },
  );

  it('is not loaded for the version', async () => {
    for (const word of ['-V', '--version']) expect((await ulvsProgram('', word)).commands).toEqual([]);
  });

  it('is not enough for the help of all, for completion, and for a word that is none', async () => {
    for (const word of [undefined, '', '--help', 'help', 'completion', 'stauts', 'constructor'])
      expect(namesOf((await ulvsProgram('', word)).commands)).toEqual(namesOf(all));
  });
});

/** A command that is loaded alone is the one that is loaded with all others. */
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { commandsOf, newProgram } from '../../src/cli/new-program.js';
import { ulvsProgram } from '../../src/cli/program.js';
import { commandsFor } from '../../src/cli/single.js';

const all = ulvsProgram('1.2.3').commands;

/** The help of a command and of those below it. */
const helps = (commands: Command[]) =>
  newProgram('1.2.3', commands).commands.flatMap((one) =>
    [{ name: one.name(), command: one }, ...commandsOf(one)].map(({ name, command }) => [
      name,
      command.helpInformation(),
    ]),
  );

describe('a command alone', () => {
  it.each(all.filter((one) => one.name() !== 'completion').map((one) => [one.name(), one] as const))(
    '%s has the same help',
    async (name, expected) => {
      const alone = await commandsFor(name, '1.2.3');
      expect(alone).toHaveLength(1);
      expect(helps(alone!)).toEqual(helps([expected]));
    },
  );

  it('is not loaded for the version', async () => {
    for (const word of ['-V', '--version']) expect(await commandsFor(word, '')).toEqual([]);
  });

  it('is not enough for the help of all, for completion, and for a word that is none', async () => {
    for (const word of [undefined, '', '--help', 'help', 'completion', 'stauts', 'constructor'])
      expect(await commandsFor(word, '')).toBeUndefined();
  });
});

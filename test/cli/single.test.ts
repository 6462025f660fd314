/** A command that is loaded alone is the one that is loaded with all others. */
import { describe, expect, it } from 'vitest';
import { newProgram } from '../../src/cli/new-program.js';
import { ulvsProgram } from '../../src/cli/program.js';
import { singleCommand } from '../../src/cli/single.js';

const all = ulvsProgram('1.2.3').commands;

describe('a command alone', () => {
  it.each(all.map((one) => [one.name(), one] as const))('%s has the same help', async (name, expected) => {
    const single = await singleCommand(name, '1.2.3');
    if (single === undefined) return;
    const [alone] = newProgram('1.2.3', [single]).commands;
    expect(alone!.name()).toBe(name);
    expect(alone!.helpInformation()).toBe(expected.helpInformation());
  });

  it('is there for what runs often, and for no word that is none', async () => {
    for (const name of ['run', 'exec', 'status', 'sysctl', 'drain', 'undrain'])
      expect((await singleCommand(name, ''))?.name()).toBe(name);
    for (const word of [undefined, '', '--help', 'help', 'stauts', 'constructor'])
      expect(await singleCommand(word, '')).toBeUndefined();
  });
});

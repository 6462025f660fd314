/** The command `ulvs` with some of its subcommands or all of them, and their help. */
import { Command } from 'commander';
import { manualText } from './manual/manual.js';

/** `version` is that of package.json. */
export function newProgram(version: string, commands: readonly Command[]): Command {
  const ulvs = new Command('ulvs')
    .description('a Linux Virtual Server director in user space')
    .enablePositionalOptions()
    .version(version);
  for (const command of commands) ulvs.addCommand(command);
  for (const { name, command } of commandsOf(ulvs)) command.addHelpText('after', manualText(name).replace(/\n$/, ''));
  return ulvs;
}

export interface NamedCommand {
  /** The words after `ulvs`, as in `lab up`. */
  readonly name: string;
  readonly command: Command;
}

/** All commands below `command`; each one precedes its subcommands. */
export function commandsOf(command: Command, above = ''): NamedCommand[] {
  return command.commands.flatMap((one) => {
    const name = `${above}${one.name()}`;
    return [{ name, command: one }, ...commandsOf(one, `${name} `)];
  });
}

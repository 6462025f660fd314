/**
 * `ulvs completion SHELL`: the words that a shell completes, from the definitions of the commands.
 */
import { Argument, Command } from 'commander';
import { bashCompletion } from '../completion/bash.js';
import { fishCompletion } from '../completion/fish.js';
import { commandWords, ulvsadmWords } from '../completion/words.js';
import { zshCompletion } from '../completion/zsh.js';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
type Shell = keyof typeof SHELLS;

export function completionCommand(): Command {
  return new Command('completion')
    .description('print the completion of ulvs and ulvsadm for a shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(SHELLS)))
    .action((shell: Shell, _options: object, command: Command) => {
      process.stdout.write(SHELLS[shell](commandWords(command.parent!), ulvsadmWords()));
    });
}

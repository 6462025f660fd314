/** Mistakes on a command line are told as all others are: one line on stderr that begins with `ulvs: `, and exit code 2. */
import { type Command, CommanderError, type OptionValues } from 'commander';
import { quoting } from './commands/replay.js';

const MISTAKE = 2;
const HINT = ' (add --help for what there is)';

/** What a surplus word was probably meant for, by command; '' where nobody knows. */
const MEANT: Readonly<Record<string, (word: string, options: OptionValues) => string>> = {
  run: (word) => `; a configuration is given by -c: ulvs run -c ${word}`,
  doctor: (word) => `; a lab is given by --lab: ulvs doctor --lab ${word}`,
  replay: (_, { trace }) => quoting(trace),
};

/** The command, and all below it: a mistake is told, then thrown as a CommanderError, instead of process.exit. */
export function strict(command: Command): Command {
  command.exitOverride().configureOutput({ outputError: (text, write) => write(`ulvs: ${sentence(text, command)}\n`) });
  for (const one of command.commands) strict(one);
  return command;
}

/** Of a run of the command line that threw. Anything but a CommanderError is thrown on. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof CommanderError)) throw error;
  return error.exitCode === 0 ? 0 : MISTAKE;
}

/** Commander's words in one line; of surplus words it only says how many. */
function sentence(text: string, command: Command): string {
  const [first = '', near = ''] = text.trim().split('\n');
  const words = first.replace(/^error: /, '');
  if (words.startsWith('too many arguments')) return surplus(command);
  return words + near.replace(/^\(Did you mean (.*)\?\)$/, '; did you mean $1?') + HINT;
}

function surplus(command: Command): string {
  const [word = '', ...more] = command.args.slice(command.registeredArguments.length);
  const meant = MEANT[command.name()]?.(word, command.opts()) || HINT;
  return `too many arguments for ${command.name()}: ${[word, ...more].join(' ')}${meant}`;
}

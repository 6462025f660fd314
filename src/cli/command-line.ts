/**
 * Mistakes on the command line: reported like all others, as one line on stderr that begins with
 * `ulvs: `, with exit code 2.
 */
import { type Command, CommanderError, type OptionValues } from 'commander';
import { quoting } from './quoting.js';

const MISTAKE = 2;
const HINT = ' (--help lists what there is)';

/** Words that other programs have for commands of ours. */
const OURS: Readonly<Record<string, string>> = { start: 'run', restart: 'run --takeover', validate: 'check' };

/** What a surplus argument was probably meant for, by command; '' if that is not known. */
const MEANT: Readonly<Record<string, (word: string, options: OptionValues) => string>> = {
  run: (word) => `; to name a configuration use -c: ulvs run -c ${word}`,
  doctor: (word) => `; to name a lab use --lab: ulvs doctor --lab ${word}`,
  replay: (_, { trace }) => quoting(trace),
  up: (word) => `; one lab at a time: run ulvs lab up ${word} after it`,
};

/**
 * Makes a command and its subcommands report a mistake and throw a CommanderError, instead of
 * calling process.exit.
 */
export function strict(command: Command): Command {
  command.exitOverride().configureOutput({ outputError: (text, write) => write(`ulvs: ${sentence(text, command)}\n`) });
  for (const one of command.commands) strict(one);
  return command;
}

/**
 * The exit code for an error that parsing threw. Other errors than a CommanderError are thrown
 * again.
 */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof CommanderError)) throw error;
  return error.exitCode === 0 ? 0 : MISTAKE;
}

/** Commander's message as one line. For surplus arguments Commander gives their number only. */
function sentence(text: string, command: Command): string {
  const [first = '', near = ''] = text.trim().split('\n');
  const words = first.replace(/^error: /, '');
  if (words.startsWith('too many arguments')) return surplus(command);
  const ours = OURS[/^unknown command '(.*)'$/.exec(words)?.[1] ?? ''];
  if (ours !== undefined) return `${words}; did you mean ${ours}?${HINT}`;
  if (/^unknown command '(ulvsadm|ipvsadm)'/.test(words)) return `${words}: ulvsadm is a program of its own`;
  const hint = misplaced(/^unknown option '(.*)'$/.exec(words)?.[1] ?? '', command) || HINT;
  return words + near.replace(/^\(Did you mean (.*)\?\)$/, '; did you mean $1?') + hint;
}

/** Hint for an option before its command (`ulvs --socket S status`); '': no command has it. */
function misplaced(option: string, command: Command): string {
  const owner = command.commands.find(({ options }) =>
    options.some(({ long, short }) => [long, short].includes(option)),
  );
  return owner === undefined ? '' : ` here: options follow the command, as in ${pathOf(owner)} ${option}`;
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function surplus(command: Command): string {
  const [word = '', ...more] = command.args.slice(command.registeredArguments.length);
  const meant = MEANT[command.name()]?.(word, command.opts()) || HINT;
  return `too many arguments for ${command.name()}: ${[word, ...more].join(' ')}${meant}`;
}

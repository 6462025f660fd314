/**
 * What a shell can complete of `ulvs` and `ulvsadm`, read from their definitions: the commands of
 * commander, and the option table of ulvsadm.
 */
import type { Command, Option } from 'commander';
import { topologies } from '../../lab/topologies/index.js';
import { SCHEDULER_NAMES } from '../../schedulers/index.js';
import { SYSCTL_NAMES } from '../../service/sysctl.js';
import { OPTIONS } from '../../ulvsadm/options.js';

/** Values of an option or argument: fixed words, files, or the labs that are up at the moment. */
export type Values = readonly string[] | 'files' | 'labs';

export interface OptionWords {
  /** `--device`, `-c`. */
  readonly names: readonly string[];
  readonly text: string;
  /** undefined: it takes no value. */
  readonly values: Values | undefined;
}

/** A command: what may follow it. */
export interface CommandWords {
  /** The words after the program's name: '', 'lab', 'lab up'. */
  readonly path: string;
  readonly subcommands: readonly { readonly name: string; readonly text: string }[];
  readonly options: readonly OptionWords[];
  /** Of its arguments; they all have the same. */
  readonly values: Values;
}

const TOPOLOGY_NAMES = topologies.map(({ name }) => name);
/** Arguments whose values commander does not know, by the command's path. */
const ARGUMENTS: Readonly<Record<string, Values>> = {
  check: 'files',
  configure: 'files',
  replay: 'files',
  sysctl: SYSCTL_NAMES,
  'lab graph': TOPOLOGY_NAMES,
  'lab up': TOPOLOGY_NAMES,
  'lab test': TOPOLOGY_NAMES,
  'lab down': 'labs',
  'lab break': 'labs',
  'lab restart': 'labs',
};
/** Options with a value that is a lab. */
const LAB = '--lab';
const IS_FILE = /<(file|path|dir|folder)>/;

/** The command and all below it; each one precedes its subcommands. */
export function commandWords(command: Command, path = ''): CommandWords[] {
  const children = command.commands.map((one) => ({ name: one.name(), text: one.description() }));
  const below = command.commands.flatMap((one) => commandWords(one, `${path} ${one.name()}`.trim()));
  const options = [...command.options.filter(({ hidden }) => !hidden).map(optionWords), HELP];
  const own = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  return [{ path, subcommands: children, options, values: ARGUMENTS[path] ?? own }, ...below];
}

const HELP: OptionWords = { names: ['-h', '--help'], text: 'display help', values: undefined };

function optionWords(option: Option): OptionWords {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  const takesValue = option.required || option.optional;
  return { names, text: option.description, values: takesValue ? valuesOf(option) : undefined };
}

function valuesOf({ argChoices, flags, long }: Option): Values {
  if (long === LAB) return 'labs';
  return argChoices ?? (IS_FILE.test(flags) ? 'files' : []);
}

/** The options of ulvsadm. */
export function ulvsadmWords(): OptionWords[] {
  const own = [
    { names: ['--socket'], text: '', values: 'files' as const },
    { names: ['--json'], text: '', values: undefined },
  ];
  return [
    ...OPTIONS.map(({ long, short, argument }) => {
      const names = [...(short === undefined ? [] : [`-${short}`]), `--${long}`];
      return { names, text: '', values: argument === 'none' ? undefined : ulvsadmValues(long) };
    }),
    ...own,
  ];
}

function ulvsadmValues(long: string): Values {
  return long === 'scheduler' ? SCHEDULER_NAMES : [];
}

/** The commander definitions of `ulvs` (src/cli) as blocks, for docs/commands.md and man/ulvs.8. */
import type { Argument, Command, Option } from 'commander';
import { exitCodes, MANUAL } from '../../src/cli/manual/manual.js';
import type { Fact, Manual } from '../../src/cli/manual/row.js';
import { commandsOf } from '../../src/cli/new-program.js';
import { ulvsProgram } from '../../src/cli/program.js';
import { type Block, code, heading, paragraph, type Row, sentence, table } from './text/blocks.js';

export interface CommandPage {
  /** `ulvs lab up`. */
  readonly name: string;
  readonly description: string;
  /** `ulvs lab up [options] <name>`. */
  readonly usage: string;
  readonly blocks: readonly Block[];
}

/**
 * A page for each command without subcommands, in the order of `ulvs --help`. Throws when MANUAL
 * and the commands differ.
 */
export async function commandPages(version: string): Promise<CommandPage[]> {
  const leaves = commandsOf(await program(version)).filter(({ command }) => command.commands.length === 0);
  const names = leaves.map(({ name }) => name);
  const unknown = Object.keys(MANUAL).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`src/cli/manual/: no such command: ${unknown.join(', ')}`);
  return leaves.map(({ name, command }) => pageOf(name, command));
}

/** The command definitions, with the defaults that apply without environment variables. */
async function program(version: string): Promise<Command> {
  const socket = process.env.ULVS_SOCKET;
  delete process.env.ULVS_SOCKET;
  try {
    return await ulvsProgram(version);
  } finally {
    if (socket !== undefined) process.env.ULVS_SOCKET = socket;
  }
}

function pageOf(name: string, command: Command): CommandPage {
  const manual = MANUAL[name];
  if (manual === undefined) throw new Error(`src/cli/manual/: ulvs ${name} has no row`);
  const words = [...command.registeredArguments.map(argumentRow), ...optionsOf(command)];
  return {
    name: `ulvs ${name}`,
    description: sentence(command.description()),
    usage: `ulvs ${name} ${command.usage()}`.replace(' [options]', optionsOf(command).length > 0 ? ' [options]' : ''),
    blocks: [
      ...(words.length > 0 ? [table(['argument or option', 'default', 'meaning'], words, 'Options')] : []),
      ...more(command, manual),
    ],
  };
}

function argumentRow(argument: Argument): Row {
  const words = [argument.description, choices(argument.argChoices)].filter(Boolean).join('; ');
  return [`\`${shown(argument)}\``, fallback(argument.defaultValue), sentence(words)];
}

function shown(argument: Argument): string {
  const words = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${words}>` : `[${words}]`;
}

function optionsOf(command: Command): Row[] {
  return command.options.filter(({ hidden }) => !hidden).map(optionRow);
}

function optionRow(option: Option): Row {
  const words = [option.description, choices(option.argChoices)].filter(Boolean).join('; ');
  return [
    `\`${option.flags}\``,
    option.negate ? '' : fallback(option.defaultValueDescription ?? option.defaultValue),
    sentence(words),
  ];
}

function choices(words: readonly string[] | undefined): string {
  return words === undefined ? '' : `one of ${words.map((word) => `\`${word}\``).join(', ')}`;
}

function fallback(value: unknown): string {
  return value === undefined ? '' : `\`${value}\``;
}

function more(command: Command, manual: Manual): Block[] {
  const { signals = [], files = [], examples = [] } = manual;
  return [
    ...explanation(command),
    table(['exit code', 'meaning'], exitCodes(manual).map(row), 'Exit codes'),
    ...(signals.length > 0 ? [table(['signal', 'effect'], signals.map(row), 'Signals')] : []),
    ...(files.length > 0 ? [table(['file', 'what it is'], files.map(row), 'Files')] : []),
    ...(examples.length > 0 ? [paragraph('Examples:'), code('sh', exampleText(examples))] : []),
  ];
}

function row([name, text]: Fact): Row {
  return [/^\d$/.test(name) ? name : `\`${name}\``, sentence(text)];
}

function exampleText(examples: readonly Fact[]): string {
  const width = Math.max(...examples.map(([words]) => words.length));
  return examples.map(([words, text]) => `${words.padEnd(width)}   # ${text}`).join('\n');
}

/** The paragraphs after the options in the command's help, without those of the manual. */
function explanation(command: Command): Block[] {
  let text = '';
  command.configureOutput({ writeOut: (words) => (text += words) }).outputHelp();
  const own = text.slice(command.helpInformation().length).split(/\n(?=Exit codes:)/)[0]!;
  const paragraphs = own.split(/\n\s*\n/).filter((words) => words.trim() !== '');
  return paragraphs.map((words) => (words.trim().includes('\n  ') ? code('', words) : paragraph(words.trim())));
}

/** The exit codes and environment variables that all commands share. */
export function commonBlocks(): Block[] {
  return [
    heading(2, 'Exit codes'),
    paragraph('The codes of a command stand with the command. In general:'),
    table(
      ['exit code', 'meaning'],
      [
        ['0', 'Everything was done.'],
        ['1', 'Something failed while running; for commands that check something: a check failed.'],
        [
          '2',
          'The user made a mistake: on the command line, in the configuration, in a rule. One line on stderr says what would be right.',
        ],
      ],
    ),
    heading(2, 'Environment'),
    table(['variable', 'meaning'], environmentRows()),
  ];
}

/** The environment variables that commands read. */
export function environmentRows(): Row[] {
  return [
    [
      '`ULVS_SOCKET`',
      'The control socket for all commands that ask a running director, and for `ulvsadm`. `--socket` goes before it. `ulvs run` does not read it.',
    ],
    ['`PATH`', 'Finds `ip` and `nft`, and for labs and the doctor `tcpdump`, `ethtool` and others.'],
    ['`SHELL`', 'The shell of `ulvs lab up --rootless`.'],
  ];
}

/** Reads a command line into a Draft, with ipvsadm's grammar and complaints. */
import { type Draft, emptyDraft } from './draft.js';
import { BadLine, Exit, FAILED, fail } from './errors.js';
import type { Names } from './names.js';
import type { Command, OptionName } from './options/names.js';
import { COMMANDS, ROWS, SPELLINGS } from './options.js';
import { type Found, Scanner } from './scanner.js';
import { schedulerFlags, timeoutValue } from './values.js';

/** The result of parsing; `help` and `version` have no draft. */
export type Parsed = Draft | 'help' | 'version';

export interface Words {
  readonly program: string;
  readonly names: Names;
}

/**
 * Reads a command line without the program's name. Throws an Exit with ipvsadm's sentence and exit
 * code.
 */
export async function parse(argv: readonly string[], words: Words): Promise<Parsed> {
  const scanner = new Scanner(argv, SPELLINGS);
  const { command, argument } = readCommand(scanner, words.program);
  if (command === 'help' || command === 'version') return command;
  const draft = emptyDraft(command);
  draft.role = argument === 'backup' ? 'backup' : 'master';
  for (let found = scanner.read(); found; found = scanner.read()) {
    const waits = apply(draft, found, scanner, words.names);
    if (waits !== undefined) await waits;
  }
  if (scanner.error) throw new BadLine(FAILED, `${scanner.word}: ${scanner.error}`);
  readWords(draft, scanner.leftovers);
  if (draft.schedulerFlags) draft.service.flags |= schedulerFlags(draft.schedulerFlags, draft.service.scheduler);
  return draft;
}

export function tryHelp(program: string): never {
  throw new Exit(FAILED, `Try \`${program} -h' or '${program} --help' for more information.`);
}

interface FoundCommand {
  readonly command: Command | 'help' | 'version';
  readonly argument: string | undefined;
}

function readCommand(scanner: Scanner, program: string): FoundCommand {
  const found = scanner.read();
  if (!found || !COMMANDS.includes(found.option)) return tryHelp(program);
  const { id } = found.option;
  if (id === 'start-daemon') checkRole(found.argument, 'illegal start-daemon parameter specified');
  if (id === 'stop-daemon') checkRole(found.argument, 'illegal start_daemon specified');
  return { command: id as FoundCommand['command'], argument: found.argument };
}

function checkRole(role: string | undefined, complaint: string): void {
  if (role !== 'master' && role !== 'backup') fail(complaint);
}

/** The words that are not options: three for --set, none for other commands. */
function readWords(draft: Draft, leftovers: readonly string[]): void {
  const rest = [...leftovers];
  if (draft.command === 'set') {
    if (rest.length < 3) fail('--set option requires 3 timeout values');
    const [tcp, tcpfin, udp] = rest.splice(0, 3).map((text) => timeoutValue(text, 0));
    draft.timeouts = { tcp: tcp!, tcpfin: tcpfin!, udp: udp! };
  }
  if (rest.length > 0) fail(`unexpected argument ${rest[0]}`);
}

/** Only names of hosts take time. */
function apply(draft: Draft, { option, argument }: Found, scanner: Scanner, names: Names): void | Promise<void> {
  const row = ROW_BY_ID.get(option.id);
  if (row === undefined) return fail(`invalid option \`${scanner.word}'`);
  if (row.name) once(draft, row.name);
  if (argument === undefined && row.setDefault) return row.setDefault(draft);
  return row.set?.(draft, argument ?? '', names);
}

const ROW_BY_ID = new Map(ROWS.map((row) => [row.id, row]));

function once({ options }: Draft, name: OptionName): void {
  if (options.has(name)) fail(`multiple '${name}' options specified`);
  options.add(name);
}

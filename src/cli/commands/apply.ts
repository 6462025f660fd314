/**
 * `ulvs apply` and `ulvs diff`: a running director against a file.
 *
 *     diff, apply --dry-run ─► reload request with dryRun ─► what would change, on stdout
 *     apply                 ─► reload request ────────────► what has changed
 *
 *     + added   - removed   ~ different   ! changed by a command since the last reload; the file undoes it
 */
import path from 'node:path';
import { Command } from 'commander';
import type { DirectorStatus, ReloadReport } from '../../control/api/api.js';
import { ask } from '../../control/api/ask.js';
import { coloured } from '../../control/text/colour.js';
import { guarded, UserError } from '../guard.js';
import { socketOption, withDirector } from '../inquiry.js';
import { DEADLINE_MS } from './reload.js';

interface Options {
  socket: string;
  config: string;
  dryRun?: true;
  json?: true;
}

/** The exit code of a difference, as of diff(1). */
const DIFFERENT = 1;

export function applyCommand(): Command {
  return new Command('apply')
    .description('make a running director as a file says, everything or nothing; its own file stays as it is')
    .requiredOption('-c, --config <file>', 'the configuration, director.yaml')
    .option('--dry-run', 'change nothing, and say what would change; exit code 1 when something would')
    .option('--json', 'what changed as JSON')
    .addOption(socketOption())
    .action((options: Options) => guarded(() => apply(options)));
}

export function diffCommand(): Command {
  return new Command('diff')
    .description('what would change in a running director if it read its configuration, or another file, now')
    .option('-c, --config <file>', "a file to compare with, in place of the director's own")
    .option('--json', 'the difference as JSON')
    .addOption(socketOption())
    .action((options: Partial<Options> & Pick<Options, 'socket'>) => guarded(() => diff(options)));
}

async function apply(options: Options): Promise<void> {
  if (options.dryRun === true) return diff(options);
  const file = path.resolve(options.config);
  const [report, status] = await reloadReport(options.socket, { file });
  print(report, options.json === true);
  const own = ownFile(status);
  if (own !== file) console.error(`ulvs: note: the next reload or restart reads ${own} again, not ${file}`);
}

async function diff({ socket, config, json }: Partial<Options> & Pick<Options, 'socket'>): Promise<void> {
  const file = config === undefined ? {} : { file: path.resolve(config) };
  const [report] = await reloadReport(socket, { ...file, dryRun: true }).catch(trouble);
  print(report, json === true);
  if (report.changes.length > 0) process.exitCode = DIFFERENT;
}

function reloadReport(
  socket: string,
  words: { readonly file?: string; readonly dryRun?: boolean },
): Promise<[ReloadReport, DirectorStatus]> {
  const work = async (client: Parameters<typeof ask>[0]): Promise<[ReloadReport, DirectorStatus]> => [
    (await ask(client, { op: 'reload', ...words })).reload!,
    (await ask(client, { op: 'status' })).status!,
  ];
  return withDirector(socket, work, DEADLINE_MS);
}

/** The exit code 1 means a difference, and nothing else. */
function trouble(error: unknown): never {
  throw error instanceof Error ? new UserError(error.message) : error;
}

function ownFile({ config, rulesOnly }: DirectorStatus): string {
  if (config !== '') return config;
  return rulesOnly ? 'its file of rules' : 'no file';
}

function print({ changes, undone }: ReloadReport, isJson: boolean): void {
  if (isJson) return console.log(JSON.stringify({ changes, undone }));
  for (const { sign, text } of changes) console.log(coloured(COLOURS[sign], `${sign} ${text}`));
  for (const text of undone) console.log(coloured(COLOURS['!'], `! ${text}`));
  if (changes.length === 0) console.log('no difference');
}

const COLOURS = { '+': 'green', '-': 'red', '~': 'yellow', '!': 'magenta' } as const;

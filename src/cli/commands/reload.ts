/** `ulvs reload`: a running director reads its configuration again; says what has changed. */
import { Command } from 'commander';
import { ask } from '../../control/api/ask.js';
import { guarded } from '../guard.js';
import { socketOption, withDirector } from '../inquiry.js';

interface Options {
  socket: string;
  json?: true;
}

/** Time, in ms, that a reload may take: a file may have 100,000 rules. */
export const DEADLINE_MS = 120_000;

export function reloadCommand(): Command {
  return new Command('reload')
    .description(
      'make a running director read its configuration again, as SIGHUP does; says what changed, or what is wrong',
    )
    .addOption(socketOption())
    .option('--json', 'what changed as JSON')
    .action((options: Options) => guarded(() => reload(options)));
}

async function reload({ socket, json }: Options): Promise<void> {
  const report = (await withDirector(socket, (client) => ask(client, { op: 'reload' }), DEADLINE_MS)).reload!;
  if (json) {
    console.log(JSON.stringify(report));
    return;
  }
  for (const { text } of report.changes) console.log(`changed: ${text}`);
  for (const text of report.undone) console.log(`undone: ${text}`);
  if (report.changes.length === 0) console.log('nothing has changed');
}

/** `ulvs top`: a running director, live in the terminal. */
import { Command, InvalidArgumentError } from 'commander';
import { guarded, UserError } from '../guard.js';
import { socketOption, withDirector } from '../inquiry.js';

interface Options {
  socket: string;
  interval: number;
}

const LEAST_S = 0.2;
const MOST_S = 60;

export function topCommand(): Command {
  return new Command('top')
    .description('watch services, real servers, drops and workers of a running director, live; change weights')
    .option('--interval <seconds>', 'time between two looks', seconds, 1)
    .addOption(socketOption())
    .action((options: Options) => guarded(() => top(options)));
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= LEAST_S && value <= MOST_S))
    throw new InvalidArgumentError(`it should be a number of seconds, ${LEAST_S} to ${MOST_S}`);
  return value;
}

async function top({ socket, interval }: Options): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new UserError("top: it needs a terminal; 'ulvs status --json' and 'ulvs stats --json' print once");
  await withDirector(socket, async (client) => {
    // The first answer comes before the screen changes: a missing director is one line.
    await client.request({ op: 'status' });
    // The library reads the terminal when it is loaded: other commands do without.
    const { Top } = await import('../top/top.js');
    await new Top(client, interval * 1000).run();
  });
}

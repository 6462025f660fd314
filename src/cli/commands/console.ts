/** `ulvs console`: serves the console of a running director, over its control socket. */
import { Command } from 'commander';
import { SocketClient } from '../../control/api/client.js';
import { type Listen, listen } from '../../control/config/metrics-schema.js';
import { tokenOf } from '../../control/console/access.js';
import { runDoctor } from '../../control/console/doctor.js';
import type { ConsoleExtras } from '../../control/console/extras.js';
import { serveConsole } from '../../control/console/server.js';
import { socketPath } from '../../lab/build/config.js';
import { directoryOf } from '../../lab/names.js';
import { labControl } from '../console/lab-control.js';
import { findLab } from '../find-lab.js';
import { guarded, UserError } from '../guard.js';
import { socketOption } from '../inquiry.js';

interface Options {
  listen: string;
  lab?: string;
  socket: string;
}

export function consoleCommand(): Command {
  return new Command('console')
    .description('serve the console, a page for the browser, of a running director')
    .option('--listen <address>', 'loopback address and port, or path of a Unix socket', '127.0.0.1:9732')
    .option('--lab <id|name>', 'the director of a lab, with its drawing and its faults')
    .addOption(socketOption())
    .action((options: Options) => guarded(() => run(options)));
}

async function run(options: Options): Promise<void> {
  const lab = options.lab === undefined ? undefined : findLab(options.lab);
  const socket = lab === undefined ? options.socket : socketPath(lab.id);
  const words = lab === undefined ? ['--no-probe', '--socket', socket] : ['--lab', lab.id];
  const extras: ConsoleExtras = { examine: () => runDoctor(words), ...(lab && { lab: labControl(lab) }) };
  const tokenFile = lab === undefined ? `${socket}.token` : `${directoryOf(lab.id)}/console.token`;
  const token = tokenOf(tokenFile);
  const client = new SocketClient(socket);
  const where = { listen: listenOf(options.listen), tokens: { operator: token }, tokenFile };
  const server = await serveConsole({ ...where, clientFor: () => client, extras });
  console.log(`the console is at ${server.address}; its token is in ${tokenFile}`);
  await untilStopped();
  await server.close();
  client.close();
}

function listenOf(text: string): Listen {
  try {
    return listen(text);
  } catch (error) {
    throw new UserError(`--listen: ${(error as Error).message}`);
  }
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

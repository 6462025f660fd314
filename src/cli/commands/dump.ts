/** `ulvs dump`: a running director as a director.yaml on stdout. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { DirectorStatus } from '../../control/api/api.js';
import { ask } from '../../control/api/ask.js';
import { parseConfig } from '../../control/config/config.js';
import { directorYaml } from '../dump/director-yaml.js';
import { readKernelPaths } from '../dump/kernel-paths.js';
import { guarded, UserError } from '../guard.js';
import { socketOption, withDirector } from '../inquiry.js';

interface Options {
  socket: string;
  replay?: true;
}

export function dumpCommand(): Command {
  return new Command('dump')
    .description(
      'print a running director as a director.yaml: its own file with the rules, sysctls and timeouts of now',
    )
    .option('--replay', "also the kernel's routes and neighbours, for ulvs replay --pcap on another machine")
    .addOption(socketOption())
    .action((options: Options) => guarded(() => dump(options)));
}

async function dump({ socket, replay }: Options): Promise<void> {
  const { status, services, sysctls, timeouts } = await withDirector(socket, async (client) => ({
    ...(await ask(client, { op: 'status' })),
    ...(await ask(client, { op: 'list' })),
    ...(await ask(client, { op: 'getSysctls' })),
    ...(await ask(client, { op: 'getTimeouts' })),
  }));
  if (!status || !services || !sysctls || !timeouts)
    throw new Error(`the director on ${socket} sent an incomplete answer`);
  const { devices } = status;
  const paths = replay && readKernelPaths(devices.map(({ name }) => name));
  const text = directorYaml(baseOf(status), { devices, services, sysctls, timeouts }, paths);
  parseConfig(text, 'the dump'); // an error here is a bug, and better than a file that does not start
  process.stdout.write(text);
}

/** The text of its own file; '' for one that runs on rules alone. */
function baseOf({ config, rulesOnly }: DirectorStatus): string {
  if (rulesOnly || config === '') return '';
  try {
    return readFileSync(config, 'utf8');
  } catch (error) {
    throw new UserError(`dump: the director's own file cannot be read: ${(error as Error).message}`);
  }
}

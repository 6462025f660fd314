/** `ulvs exec -- COMMAND…`: runs a program that drives IPVS; a running director takes its place. */
import { Command, Option } from 'commander';
import { ask } from '../../control/api/ask.js';
import { OPENS, type Opens } from '../../exec/filter/rules.js';
import { execCommand } from '../../exec/run/exec.js';
import { CannotExec, NotStarted } from '../../exec/run/refusals.js';
import { guarded, UserError } from '../guard.js';
import { socketOption, withDirector } from '../inquiry.js';

interface Options {
  socket: string;
  proc: Opens;
}

export function execCommandLine(): Command {
  return new Command('exec')
    .description('run a program that drives IPVS (ipvsadm, keepalived ...); the director answers instead of the kernel')
    .argument('<command>', 'the program')
    .argument('[words...]', 'its arguments')
    .addOption(socketOption())
    .addOption(
      new Option(
        '--proc <opens>',
        'which opened files are looked at for /proc/net/ip_vs* and /proc/sys/net/ipv4/vs/*: none; plain: those opened as by fopen(..., "r"); every: all, for Go programs',
      )
        .choices(OPENS)
        .default('plain'),
    )
    .passThroughOptions()
    .action((command: string, words: string[], options: Options) => guarded(() => exec([command, ...words], options)));
}

async function exec(command: readonly string[], { socket, proc }: Options): Promise<void> {
  const table = await tableOf(socket);
  const report = (line: string) => console.error(`ulvs exec: ${line}`);
  try {
    process.exitCode = await execCommand(command, { socket, table, opens: proc, ...olderKernel(), report });
  } catch (error) {
    if (!(error instanceof CannotExec)) throw error;
    if (!(error instanceof NotStarted)) throw new UserError(error.message);
    console.error(`ulvs: ${error.message}`);
    process.exitCode = error.exitCode;
  }
}

/** What older kernels do, for tests on newer ones. */
function olderKernel(): { netlink: boolean; interruptible: boolean } {
  const { ULVS_EXEC_NO_NETLINK, ULVS_EXEC_INTERRUPTIBLE } = process.env;
  return { netlink: ULVS_EXEC_NO_NETLINK !== '1', interruptible: ULVS_EXEC_INTERRUPTIBLE === '1' };
}

async function tableOf(socket: string): Promise<string> {
  const { status } = await withDirector(socket, (client) => ask(client, { op: 'status' }));
  if (status?.tableId === undefined)
    throw new UserError(`exec: the director on ${socket} is of an older version: restart it with this one`);
  return status.tableId;
}

/** Options that the labs with load share: the director, and the load on it. */
import { type Command, Option } from 'commander';
import { kindsWith } from '../../device/kinds.js';
import { METHODS } from '../../lab/flood/testbed.js';
import type { LoadSize } from '../../lab/outage/config.js';
import { wholeNumber } from './whole-number.js';

/** Kinds of device that these labs can have: interfaces of the host, read by workers. */
export const LOAD_KINDS = kindsWith(({ shared, thread }) => shared && thread === 'worker');

/** Defaults of the options of the load. */
interface Load extends LoadSize {
  /** Milliseconds. */
  readonly pace: number;
}

/** Adds the options of the director. */
export function addDirectorOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--device <kind>', "kind of the director's devices").choices(LOAD_KINDS).default(LOAD_KINDS[0]),
    )
    .addOption(new Option('--method <name>', 'forwarding method').choices(Object.keys(METHODS)).default('nat'))
    .option('--workers <n>', 'worker threads of the director', wholeNumber(1, 16));
}

/** Adds the options of the load, with these defaults. */
export function addLoadOptions(command: Command, { downloads, flows, rate, pace }: Load, leastRate = 0): Command {
  return command
    .option('--downloads <n>', 'open downloads by each of two interfaces', wholeNumber(1, 1000), downloads)
    .option('--flows <n>', 'flows of datagrams by each interface, one each 5 ms', wholeNumber(1, 100), flows)
    .option('--rate <n>', 'new connections a second by each interface', wholeNumber(leastRate, 2000), rate)
    .option('--pace <ms>', 'time between two blocks of 1,000 bytes of a download', wholeNumber(1, 1000), pace);
}

/** `ulvs bench`: measurements of a director. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { kindsWith } from '../../device/kinds.js';
import { KINDS } from '../../lab/flood/frame.js';
import { METHODS } from '../../lab/flood/testbed.js';
import { CommandError } from '../../sys/command.js';
import { type FloodChoice, flood } from '../bench/flood.js';
import { guarded, UserError } from '../guard.js';
import { interruptible } from '../interruptible.js';

/**
 * The kinds whose packet path runs in a worker: in the main thread a flood would measure the event
 * loop. The first one is the fastest.
 */
const FLOODED = kindsWith(({ thread }) => thread === 'worker');
const MOST_CLIENTS = 65_536;
const MOST_PORTS = 32_768;
const MOST_SECONDS = 3600;
const MOST_RATE = 100_000_000;

export function benchCommand(): Command {
  const bench = new Command('bench').description('measure how much traffic a director forwards');
  bench
    .command('flood')
    .description('testlvs: SYN, UDP or established-flow floods at a paced rate, counted at the realservers; needs root')
    .option('--lab <id|name>', 'a lab that is up (default: a testbed of its own, client – director – realserver)')
    .addOption(new Option('--device <kind>', "kind of the director's devices").choices(FLOODED).default(FLOODED[0]))
    .addOption(new Option('--method <name>', 'forwarding method').choices(Object.keys(METHODS)).default('nat'))
    .addOption(new Option('--kind <kind>', 'kind of packets').choices([...KINDS]).default('syn'))
    .option('--clients <n>', 'number of client addresses, a power of two', powerOfTwo('clients', MOST_CLIENTS), 1024)
    .option('--ports <n>', 'number of ports of each client, a power of two', powerOfTwo('ports', MOST_PORTS), 64)
    .option(
      '--rate <n>',
      'packets per second (default: searches for the highest rate with less than 0.1% loss)',
      wholeNumber(MOST_RATE),
    )
    .option('--seconds <n>', 'length of each run in seconds', wholeNumber(MOST_SECONDS), 3)
    .option('--json', 'print one JSON object')
    .action((choice: FloodChoice) => guarded(() => runFlood(choice)));
  return bench;
}

function powerOfTwo(what: string, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(Math.log2(value)) && value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(`${what}: a power of two from 1 to ${most}.`);
  };
}

function wholeNumber(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(`A whole number from 1 to ${most}.`);
  };
}

async function runFlood(choice: FloodChoice): Promise<void> {
  try {
    await interruptible(
      (reason) => new UserError(`bench flood: ${reason}`),
      (signal) => flood(choice, signal),
    );
  } catch (error) {
    throw error instanceof CommandError ? new Error(`bench flood: ${error.message}`) : error;
  }
}

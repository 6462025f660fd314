/**
 * `ulvs drain` and `ulvs undrain`: takes real servers out of use without breaking a connection.
 *
 *     lower the weight ──► wait for the connections ──► reset what is left ──► remove the
 *     to 0                 or for --timeout             (--rst)                destination
 *     (in steps:           (UDP not: --udp-at-once)                            (not: --keep)
 *     --to-zero-weight-in)
 *
 * The director holds the drained state, so that a command that is interrupted leaves it at the
 * weight it had then; `ulvs undrain` takes it back. The operator's weight stays in the rule table.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import type { AdminClient, DestinationEntry } from '../../control/api/api.js';
import { ask } from '../../control/api/ask.js';
import { destinationName, type Endpoint, serviceWords } from '../../control/config/service-words.js';
import { counted } from '../../control/text/counted.js';
import { endpoint, isFwmark, type ServiceKey, UDP } from '../../service/config.js';
import { guarded, UserError } from '../guard.js';
import { socketOption, withDirector } from '../inquiry.js';
import { duration } from './status.js';

interface Options {
  socket: string;
  timeout?: number;
  toZeroWeightIn: number;
  keep?: boolean;
  rst?: true;
  udpAtOnce?: true;
}

/** A destination that drains. */
interface Drained {
  readonly key: ServiceKey;
  readonly name: string;
  readonly which: Endpoint;
}

/** Pause between two looks at the connections, ms. */
const LOOK_MS = 500;
const LOOKS = 3;
/** Time for resets, s: an end that does not answer is given up after 3 s. */
const RESET_S = 6;
const BAR = 30;

export function drainCommand(): Command {
  return new Command('drain')
    .description('take real servers out of use: weight 0, no new clients, wait for their connections, then remove them')
    .argument('<dest>', 'a real server: ADDRESS:PORT, or ADDRESS for all its destinations')
    .option('--timeout <seconds>', 'remove what is left after this time, with its connections', seconds)
    .option('--to-zero-weight-in <seconds>', 'lower the weight in steps for this time', seconds, 0)
    .option('--rst', 'after the timeout reset what is left on both sides: client and real server get a RST')
    .option('--udp-at-once', 'UDP connections do not wait for their idle time: the next datagram goes elsewhere')
    .option('--keep', 'keep the destinations at weight 0 instead of removing them')
    .addOption(socketOption())
    .action((dest: string, options: Options) => guarded(() => drain(dest, options)));
}

export function undrainCommand(): Command {
  return new Command('undrain')
    .description('give drained real servers their weight back')
    .argument('<dest>', 'a real server: ADDRESS:PORT, or ADDRESS for all its destinations')
    .addOption(socketOption())
    .action((dest: string, { socket }: Options) => guarded(() => undrain(dest, socket)));
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 86_400)) throw new InvalidArgumentError('it should be a number of seconds, 0 to 86400');
  return value;
}

async function undrain(dest: string, socket: string): Promise<void> {
  await withDirector(socket, async (client) => {
    const all = await find(client, dest);
    await setShare(client, all, undefined);
    for (const { name } of all) console.log(`${name} has its weight again`);
  });
}

async function drain(dest: string, options: Options): Promise<void> {
  const { socket, timeout, toZeroWeightIn, keep, rst, udpAtOnce } = options;
  if (rst && timeout === undefined)
    throw new UserError('drain: --rst resets what is left after --timeout: give --timeout, 0 for at once');
  await withDirector(socket, async (client) => {
    const all = await find(client, dest);
    await lower(client, all, toZeroWeightIn * 1000);
    if (udpAtOnce) await endConnections(client, all, false);
    let left = await wait(client, all, timeout);
    if (rst && left > 0) left = await resetAll(client, all, left);
    if (!keep) for (const one of all) await remove(client, one);
    const what = keep ? 'kept at weight 0' : 'removed';
    for (const { name } of all) console.log(`${name} is ${what}`);
    if (left > 0)
      throw new Error(
        `drain ${dest}: ${counted(left, 'connection')} ${left === 1 ? 'was' : 'were'} left after ${timeout} s`,
      );
  });
}

/** The destinations with this name. Throws a UserError when there is none. */
async function find(client: AdminClient, dest: string): Promise<Drained[]> {
  const { address, port } = nameOf(dest);
  const { services = [] } = await ask(client, { op: 'list' });
  const all = services.flatMap(({ key, destinations }) =>
    destinations
      .filter((one) => one.address === address && (port === 0 || one.port === port))
      .map((one) => ({ key, which: { address: one.address, port: one.port }, name: nameIn(key, one) })),
  );
  if (all.length === 0) throw new UserError(`drain: no service has the real server ${dest}; 'ulvsadm -Ln' lists them`);
  return all;
}

function nameOf(dest: string): Endpoint {
  try {
    return destinationName(dest);
  } catch (error) {
    throw new UserError(`drain: ${(error as Error).message}`);
  }
}

function nameIn(key: ServiceKey, { address, port }: Endpoint): string {
  return `${endpoint(address, port)} of ${serviceWords(key)}`;
}

async function setShare(client: AdminClient, all: readonly Drained[], share: number | undefined): Promise<void> {
  for (const { key, which } of all)
    await ask(client, { op: 'drain', key, ...which, ...(share !== undefined && { share }) });
}

/** Lowers the weight to 0 in `ms`. */
async function lower(client: AdminClient, all: readonly Drained[], ms: number): Promise<void> {
  const end = performance.now() + ms;
  for (let left = ms; left > 0; left = end - performance.now()) {
    await setShare(client, all, Math.min(1, left / ms));
    await sleep(Math.min(LOOK_MS, left));
  }
  await setShare(client, all, 0);
}

/** Resolves when no connection is left, or after `timeout` s, with the number that is left. */
async function wait(client: AdminClient, all: readonly Drained[], timeout = Infinity): Promise<number> {
  const began = performance.now();
  const progress = new Progress();
  // A handshake may be under way: none must be left at several looks in a row.
  for (let none = 0; ; ) {
    const left = await connectionsOf(client, all);
    const passed = (performance.now() - began) / 1000;
    progress.show(left, passed);
    none = left === 0 ? none + 1 : 0;
    if (none === LOOKS || passed >= timeout) {
      progress.end();
      return left;
    }
    await sleep(Math.min(LOOK_MS, (timeout - passed) * 1000));
  }
}

/** Connections that go on: of TCP the established ones, since ended ones stay in the table. */
async function connectionsOf(client: AdminClient, all: readonly Drained[]): Promise<number> {
  const { services = [] } = await ask(client, { op: 'list' });
  const names = new Set(all.map(({ name }) => name));
  const counts = services.flatMap(({ key, destinations }) =>
    destinations.filter((one) => names.has(nameIn(key, one))).map((one) => goingOn(key, one)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** A UDP connection counts as inactive all its life, which its idle time ends. */
function goingOn(key: ServiceKey, { activeConns, inactConns }: DestinationEntry): number {
  return !isFwmark(key) && key.protocol === UDP ? activeConns + inactConns : activeConns;
}

async function endConnections(client: AdminClient, all: readonly Drained[], tcp: boolean): Promise<void> {
  for (const { key, which } of all) await ask(client, { op: 'endConnections', key, ...which, tcp, udp: !tcp });
}

/** Resets what is left. Returns what is still there then. */
async function resetAll(client: AdminClient, all: readonly Drained[], left: number): Promise<number> {
  await endConnections(client, all, true);
  console.error(`${counted(left, 'connection')} ${left === 1 ? 'is' : 'are'} reset`);
  return wait(client, all, RESET_S);
}

async function remove(client: AdminClient, { key, which }: Drained): Promise<void> {
  await ask(client, { op: 'deleteDestination', key, ...which });
}

/** A bar on a terminal, a line for each change elsewhere. */
class Progress {
  private first = -1;
  private last = -1;

  show(left: number, passed: number): void {
    this.first = Math.max(this.first, left);
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${this.bar(left)} ${this.text(left, passed)}`);
    else if (left !== this.last) console.error(this.text(left, passed));
    this.last = left;
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\n');
  }

  private bar(left: number): string {
    const done = this.first <= 0 ? BAR : Math.round(BAR * (1 - left / this.first));
    return `[${'#'.repeat(done)}${'.'.repeat(BAR - done)}]`;
  }

  private text(left: number, passed: number): string {
    const gone = this.first - left;
    const estimate = gone > 0 && left > 0 ? `, about ${duration(Math.ceil((passed / gone) * left))} more` : '';
    return `${counted(left, 'connection')} left${estimate}`;
  }
}

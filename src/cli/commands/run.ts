/**
 * `ulvs run`: runs a director in the foreground until SIGINT or SIGTERM. SIGHUP reloads its
 * configuration, SIGUSR2 starts its successor.
 */
import { Command, Option } from 'commander';
import { type Config, loadConfig, parseConfig } from '../../control/config/config.js';
import { Daemon, type Reloader } from '../../control/daemon/daemon.js';
import type { Around, StartOptions } from '../../control/daemon/parts.js';
import { StartError } from '../../control/engine/worker-handle.js';
import { Fleet, type InTurn } from '../../control/fleet/fleet.js';
import { ServiceManager } from '../../control/host/service-manager.js';
import { StateError } from '../../control/state/store.js';
import { type DeviceChoice, deviceChoices, isShared, kindOf, kindsWith } from '../../device/kinds.js';
import { RouteSocket } from '../../netlink/route-socket.js';
import { fileLines, loadRules } from '../../ulvsadm/rules.js';
import { guarded, UserError } from '../guard.js';
import { newLogger } from '../log.js';
import { factsText } from '../manual/facts-text.js';
import { limitPrivileges } from '../privileges.js';
import { reloadFor } from '../reloading.js';
import { SuccessorStart } from '../successor.js';

interface Options {
  config?: string;
  rules?: string;
  device?: DeviceChoice;
  socket?: string;
  user?: string;
  takeover?: true | undefined;
  fresh?: boolean;
  logLevel: string;
}

export function runCommand(version: string): Command {
  return new Command('run')
    .description(
      'run a director in the foreground until SIGTERM or SIGINT; SIGHUP reloads the configuration, SIGUSR2 starts a successor that takes over; without -c and --rules an empty director on all interfaces that are up',
    )
    .option('-c, --config <file>', 'the configuration, director.yaml')
    .option('--rules <file>', 'rules, lines as for ipvsadm -R; without -c on all interfaces that are up')
    .addOption(
      new Option('--device <kind>', 'kind of every device, overrides the configuration').choices(deviceChoices()),
    )
    .option('--socket <path>', 'control socket, overrides the configuration')
    .option('--user <name>', 'give up root: become this user, with the few capabilities that a director needs')
    .option('--fresh', 'forget the connections and rules that the director before left (key state)')
    .addOption(
      new Option(
        '--takeover',
        'take over from the director that listens on the socket, without a gap; without one start as usual',
      ).conflicts('fresh'),
    )
    .addOption(
      new Option('--log-level <level>', 'least severe messages to log')
        .choices(['error', 'warn', 'info', 'debug'])
        .default('info'),
    )
    .addHelpText('after', `\nKinds of device:\n${kindsText()}`)
    .action((options: Options) => guarded(() => run(options, version)));
}

function kindsText(): string {
  return factsText(kindsWith().map((name) => [name, kindOf(name).summary])).trimEnd();
}

/**
 * Runs until `stop` has completed: a start that is interrupted is undone, too. `again`: the
 * configuration of a director that has yielded in vain; its file may have a mistake by now.
 */
async function run(options: Options, version: string, again?: Config): Promise<void> {
  const config = again ?? configOf(options);
  limitPrivileges(options.user, config.socket);
  const log = await newLogger(options.logLevel);
  const manager = new ServiceManager((message) => log.warn(message));
  const stopped = whenStopped();
  const { failure, fail } = failing();
  const fleet = config.rules === undefined ? undefined : new Fleet(config, log, version);
  const onFailure = (message: string) => fail(new Error(message));
  const how = { fresh: options.fresh ?? false, takeover: options.takeover ?? false };
  const around = { read: (file?: string) => configOf(options, file), log, manager, fleet };
  // A client may ask as soon as the control socket is there, a moment before the director is up.
  const reloadNext: Reloader = (request, peer) => inTurn(async () => reloadFor(await started, request, peer, around));
  const started = begin(config, fleet, { loadRules, log, onFailure }, how, reloadNext);
  const inTurn = turns(started);
  process.on('SIGHUP', () => void reloadNext({ op: 'reload' }));
  const successor = new SuccessorStart(log);
  process.on('SIGUSR2', () => successor.begin());
  const daemon = await started.catch((error: unknown) => {
    const isMistake = (error instanceof StartError && error.mistake) || error instanceof StateError;
    throw isMistake ? new UserError(error.message) : error;
  });
  if (options.config === undefined) log.warn(`no -c: the director has all interfaces that are up: ${namesOf(config)}`);
  fleet?.follow(daemon, inTurn);
  manager.ready(daemon.heartbeat.status());
  manager.watch(daemon.heartbeat);
  const end = await Promise.race([stopped, failure, daemon.succeeded]).catch((error: Error) => error);
  if (end !== undefined && 'yields' in end) {
    if (end.yields && !(await yieldedTo(end.pid, daemon, fleet))) {
      log.warn(`process ${end.pid} has ended before it was up; this director starts again`);
      for (const signal of SIGNALS) process.removeAllListeners(signal);
      return run({ ...options, takeover: undefined, fresh: false }, version, daemon.config);
    }
    manager.succeeded(end.pid);
    if (!end.yields) await Promise.all([fleet?.close(), daemon.leave()]);
    log.info(`process ${end.pid} has taken over`);
    // Devices and programs belong to the other process; nothing more is to be closed.
    process.exit(0);
  }
  manager.stopping();
  await Promise.all([fleet?.close(), daemon.stop()]);
  if (end instanceof Error) throw end;
  log.info('director is down');
}

/** Signals that `run` handles. */
const SIGNALS = ['SIGHUP', 'SIGUSR2', 'SIGTERM', 'SIGINT', 'uncaughtException'] as const;

/** Process `pid` goes on in the place of this one. False: it has ended before it was up. */
async function yieldedTo(pid: number, daemon: Daemon, fleet: Fleet | undefined): Promise<boolean> {
  await fleet?.close();
  return daemon.yieldTo(pid);
}

/** Starts a director, whose rules may be those of a fleet. */
async function begin(
  config: Config,
  fleet: Fleet | undefined,
  around: Around,
  options: StartOptions,
  reloader: Reloader,
): Promise<Daemon> {
  await fleet?.begin(loadRules);
  return Daemon.start(fleet?.complete(config) ?? config, around, options, reloader);
}

function namesOf({ devices }: Config): string {
  return devices.map(({ name }) => name).join(', ');
}

/** Resolves at SIGTERM or SIGINT. */
function whenStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
  });
}

/**
 * `failure` rejects with the error given to `fail`, or with an uncaught one: the director must not
 * leave its nft rules behind.
 */
function failing(): { failure: Promise<never>; fail: (error: Error) => void } {
  let fail: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failure.catch(() => {});
  process.on('uncaughtException', (error) => fail(error));
  return { failure, fail };
}

/** Does one work after the other; the first one when the director is up. */
function turns(started: Promise<Daemon>): InTurn {
  let last: Promise<unknown> = started.catch(() => {});
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}

/** `other`: a file in place of the director's own configuration and rules. */
function configOf(options: Options, other?: string): Config {
  const { device, socket } = options;
  const { config, rules } = other === undefined ? options : { config: other, rules: undefined };
  const lines = rules === undefined ? undefined : { rulesFile: rules, ruleLines: fileLines(rules) };
  if (config === undefined && device !== undefined && !isShared(device))
    throw new UserError(
      `run --device ${device}: such a device has addresses and routes of its own: name them in director.yaml, with -c`,
    );
  const base = config === undefined ? everyInterface(rules) : loadConfig(config);
  return {
    ...base,
    ...(device !== undefined && { devices: base.devices.map((one) => ({ ...one, kind: device })) }),
    ...lines,
    ...(lines !== undefined && { rules: undefined }),
    ...(socket !== undefined && { socket }),
  };
}

/**
 * The configuration of a machine without one: all Ethernet interfaces that are up, except those
 * that are ports of a bridge or a bond.
 */
function everyInterface(rules: string | undefined): Config {
  const socket = new RouteSocket();
  const links = socket
    .dump('link')
    .filter(({ up, loopback, type, master }) => up && !loopback && type === 1 && master === undefined);
  socket.close();
  if (links.length === 0)
    throw new UserError(
      `run${rules === undefined ? '' : ` --rules ${rules}`}: no Ethernet interface is up here; 'ip link set DEV up' brings one up`,
    );
  return parseConfig(
    `devices: [${links.map(({ name }) => `{ name: ${JSON.stringify(name)} }`).join(', ')}]`,
    rules ?? '',
  );
}

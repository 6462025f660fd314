import { Command, Option } from 'commander';
import type { Logger } from 'pino';
import { type Config, loadConfig, parseConfig } from '../../control/config/config.js';
import { Daemon } from '../../control/daemon.js';
import { StartError } from '../../control/engine/worker-handle.js';
import { type DeviceChoice, deviceChoices, kindsHelp } from '../../device/kinds.js';
import { RouteSocket } from '../../netlink/route-socket.js';
import { fileLines, loadRules } from '../../ulvsadm/rules.js';
import { guarded, UserError } from '../guard.js';
import { newLogger } from '../log.js';

interface Options {
  config?: string;
  rules?: string;
  device?: DeviceChoice;
  socket?: string;
  logLevel: string;
}

/** `ulvs run`: a director in the foreground, until SIGINT or SIGTERM; SIGHUP reads its configuration again. */
export function runCommand(): Command {
  return new Command('run')
    .description('be a director: in the foreground, until SIGTERM or SIGINT; SIGHUP reloads')
    .option('-c, --config <file>', 'director.yaml')
    .option('--rules <file>', 'lines as for ipvsadm -R; alone, all interfaces that are up are taken as they are')
    .addOption(
      new Option('--device <kind>', 'the kind of every device, instead of the configured').choices(deviceChoices()),
    )
    .option('--socket <path>', 'the control socket, instead of the configured')
    .addOption(
      new Option('--log-level <level>', 'how much to say').choices(['error', 'warn', 'info', 'debug']).default('info'),
    )
    .addHelpText('after', `\nKinds of device:\n${kindsHelp()}`)
    .action((options: Options) => guarded(() => run(options)));
}

/** From its first moment on it ends only by `stop`: half a start is taken down, too. */
async function run(options: Options): Promise<void> {
  const log = newLogger(options.logLevel);
  const told = whenTold();
  const { failure, fail } = failing();
  const started = Daemon.start(configOf(options), loadRules, log, (message) => fail(new Error(message)));
  onHangup(started, options, log);
  const daemon = await started.catch((error: unknown) => {
    throw error instanceof StartError && error.mistake ? new UserError(error.message) : error;
  });
  try {
    await Promise.race([told, failure]);
  } finally {
    await daemon.stop();
  }
  log.info('director is down');
}

/** Resolves at SIGTERM or SIGINT. */
function whenTold(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
  });
}

/** Rejects with what `fail` is told, or with an error that nobody caught: nothing may leave the nft rules behind. */
function failing(): { failure: Promise<never>; fail: (error: Error) => void } {
  let fail: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failure.catch(() => {});
  process.on('uncaughtException', (error) => fail(error));
  return { failure, fail };
}

/** SIGHUPs are obeyed one after the other, the first when the director is up. */
function onHangup(started: Promise<Daemon>, options: Options, log: Logger): void {
  let last: Promise<unknown> = started.catch(() => {});
  process.on('SIGHUP', () => {
    last = last.then(async () => reload(await started, options, log));
  });
}

/** A mistake in the new configuration is told, and the running one goes on. */
async function reload(daemon: Daemon, options: Options, log: Logger): Promise<void> {
  try {
    await daemon.reload(configOf(options));
  } catch (error) {
    for (const line of (error as Error).message.split('\n')) log.error(`not reloaded: ${line}`);
  }
}

function configOf({ config, rules, device, socket }: Options): Config {
  if (config === undefined && rules === undefined)
    throw new UserError('run: name a configuration with -c director.yaml, or rules with --rules FILE');
  const lines = rules === undefined ? undefined : { rulesFile: rules, ruleLines: fileLines(rules) };
  const base = config === undefined ? everyInterface(rules!) : loadConfig(config);
  return {
    ...base,
    ...(device !== undefined && { devices: base.devices.map((one) => ({ ...one, kind: device })) }),
    ...lines,
    ...(socket !== undefined && { socket }),
  };
}

/** A live box without a configuration: all Ethernet interfaces that are up, and of bridges and bonds not their ports. */
function everyInterface(rules: string): Config {
  const socket = new RouteSocket();
  const links = socket
    .dump('link')
    .filter(({ up, loopback, type, master }) => up && !loopback && type === 1 && master === undefined);
  socket.close();
  if (links.length === 0)
    throw new UserError(`run --rules ${rules}: no Ethernet interface is up here; 'ip link set DEV up' brings one up`);
  return parseConfig(`devices: [${links.map(({ name }) => `{ name: ${JSON.stringify(name)} }`).join(', ')}]`, rules);
}

import { Command, Option } from 'commander';
import type { Logger } from 'pino';
import { type Config, type DeviceChoice, loadConfig, parseConfig } from '../control/config.js';
import { Daemon } from '../control/daemon.js';
import { StartError } from '../control/dataplane.js';
import { RouteSocket } from '../netlink/route-socket.js';
import { guarded, UserError } from './guard.js';
import { newLogger } from './log.js';
import { loadRules } from './rules.js';

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
      new Option('--device <kind>', 'the kind of every device, instead of the configured').choices([
        'packet',
        'tap',
        'cap',
        'auto',
      ]),
    )
    .option('--socket <path>', 'the control socket, instead of the configured')
    .addOption(
      new Option('--log-level <level>', 'how much to say').choices(['error', 'warn', 'info', 'debug']).default('info'),
    )
    .action((options: Options) => guarded(() => run(options)));
}

async function run(options: Options): Promise<void> {
  const log = newLogger(options.logLevel);
  let fail: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const daemon = await start(options, log, (message) => fail(new Error(message)));
  try {
    await Promise.race([untilTold(daemon, options, log), failure]);
  } finally {
    await daemon.stop();
  }
  log.info('director is down');
}

async function start(options: Options, log: Logger, onFailure: (message: string) => void): Promise<Daemon> {
  try {
    return await Daemon.start(configOf(options), loadRules, log, onFailure);
  } catch (error) {
    if (error instanceof StartError && error.mistake) throw new UserError(error.message);
    throw error;
  }
}

/** Resolves at SIGTERM or SIGINT. */
function untilTold(daemon: Daemon, options: Options, log: Logger): Promise<void> {
  process.on('SIGHUP', () => void reload(daemon, options, log));
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
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
  const base = config === undefined ? everyInterface(rules!) : loadConfig(config);
  return {
    ...base,
    ...(device !== undefined && { devices: base.devices.map((one) => ({ ...one, kind: device })) }),
    ...(rules !== undefined && { rulesFile: rules, ruleLines: [] }),
    ...(socket !== undefined && { socket }),
  };
}

/** A live box without a configuration: all Ethernet interfaces that are up. */
function everyInterface(rules: string): Config {
  const socket = new RouteSocket();
  const links = socket.dump('link').filter(({ up, loopback, type }) => up && !loopback && type === 1);
  socket.close();
  if (links.length === 0) throw new UserError('run --rules: no Ethernet interface is up here');
  return parseConfig(`devices: [${links.map(({ name }) => `{ name: ${JSON.stringify(name)} }`).join(', ')}]`, rules);
}

/**
 * Starts all parts of a director in order:
 *
 *     rules checked ─► network read ─► intercept rules ─► dataplane: rules, then devices ─► control socket
 *
 * The dataplane has all rules, routes and settings before it opens a device: what comes before its
 * rules would be refused. The host's stack has the intercept rules before that.
 */
import { DROP_NAMES, DROP_TEXTS } from '../../stats/drops.js';
import type { AdminClient } from '../api/api.js';
import { openSockets } from '../api/open-sockets.js';
import type { Handler } from '../api/session.js';
import type { ConsoleServer } from '../console/server.js';
import { openFlows } from '../engine/open-flows.js';
import { placeOthers, putCompilersBehind, tooManyWorkers } from '../engine/placement.js';
import type { Transfer } from '../engine/transfer.js';
import { inlineLittle } from '../engine/v8-flags.js';
import { Workers } from '../engine/workers.js';
import { CheckPath } from '../health/check-path.js';
import { ANNOUNCE_MS, BEGIN_MS } from '../host/announcement.js';
import { type Attachment, attach } from '../host/attach.js';
import { removeOrphans } from '../host/interceptor.js';
import { serveMetrics } from '../metrics/server.js';
import { changes } from '../rules/diff.js';
import type { Rules } from '../rules/rules.js';
import { stateDirectory } from '../state/directory.js';
import { resume } from '../state/resume.js';
import { baseOf } from '../state/start.js';
import { checkSync, logWarnings } from './checks.js';
import { listener, startHost, startWorkers } from './dataplane.js';
import { CHECK_MS, type Parts } from './parts.js';
import { takeOver } from './succession.js';

/** Period of rates, trash and traces. */
const HOUSEKEEPING_MS = 500;

/**
 * `wanted`: what the rules of the configuration make. `client`: the director, for its own parts.
 * `handler` answers the control sockets. Rejects with an Error of one line; what has started is to
 * be stopped then.
 */
export async function start(parts: Parts, wanted: Rules, client: AdminClient, handler: Handler): Promise<void> {
  checkSync(parts, parts.config);
  inlineLittle();
  const tooMany = tooManyWorkers(parts.config.workers);
  if (tooMany !== undefined) parts.log.warn(tooMany);
  for (const line of placeOthers(parts.config)) parts.log.warn(line);
  const adopted = parts.taker?.adopt();
  const ports = adopted?.ports?.filter((fd) => fd >= 0);
  const attachment = attach(parts.config, wanted.entries(), ports);
  const workers = newWorkers(parts, attachment, adopted);
  parts.loaded = wanted.entries();
  await startForwarding(parts, workers, attachment, wanted);
  startHealth(parts, workers, attachment);
  startJobs(parts);
  putCompilersBehind();
  // The process before this one has ended: one address that cannot be used must not end all.
  for (const step of listening(parts, client, handler))
    await (parts.taker === undefined ? step() : parts.attempt(step));
  parts.log.info({ socket: parts.config.socket, services: wanted.entries().length }, 'director is up');
}

/** What opens the addresses of clients. */
function listening(parts: Parts, client: AdminClient, handler: Handler): (() => Promise<void>)[] {
  const { metrics, console } = parts.config;
  return [
    async () => {
      if (metrics !== undefined) parts.metrics = await serveMetrics(metrics.listen, metrics, client);
    },
    async () => {
      if (console !== undefined) parts.console = await loadConsole(parts, handler);
    },
    // Last: a client that finds the socket may use the director.
    () => openSockets(parts.config, handler, parts.sockets),
  ];
}

/** Few directors have a console: its modules are loaded for those only. */
async function loadConsole({ config, log }: Parts, handler: Handler): Promise<ConsoleServer | undefined> {
  return (await import('./console.js')).startConsole(config, handler, log);
}

/** The workers, without threads yet. */
function newWorkers(parts: Parts, { live, maps, devices }: Attachment, adopted: Transfer | undefined): Workers {
  Object.assign(parts, { live, maps, devices });
  const { shared, config, keeper } = parts;
  const inherited = {
    state: keeper && stateDirectory(config),
    connections: shared.inherited.every(Boolean),
    flows: adopted?.flows,
  };
  const flows = openFlows(config, devices, inherited, (line) => parts.log.info(line));
  parts.flows = flows;
  parts.workers = new Workers(shared, config, devices, maps, live !== undefined, keeper?.steering, adopted, flows);
  return parts.workers;
}

async function startForwarding(parts: Parts, workers: Workers, attachment: Attachment, wanted: Rules): Promise<void> {
  const { taker, log } = parts;
  await startHostOrSayWhy(parts, workers, attachment);
  logWarnings(parts);
  startRules(parts, wanted);
  // After our own rules: until then those of a killed director keep its packets from the host.
  for (const pid of removeOrphans().filter((one) => one !== taker?.pid))
    log.warn(`another director (pid ${pid}) runs in this network namespace: no service may be in both`);
  parts.live?.start(parts.devices, listener(parts));
  await startWorkers(parts, workers, attachment, taker !== undefined);
  if (taker !== undefined) await takeOver(parts, workers, taker);
  parts.host?.useTun(workers.tun);
  parts.sync.configure(parts.config.sync);
  parts.announcement.refresh();
  parts.host?.warnUnrouted();
}

/** Where both the host's rules and the devices are refused, the devices say more about it. */
async function startHostOrSayWhy(parts: Parts, workers: Workers, attachment: Attachment): Promise<void> {
  try {
    startHost(parts, attachment);
  } catch (error) {
    await startWorkers(parts, workers, attachment);
    throw error;
  }
}

/** The rules of the configuration, or what a former process had. */
function startRules(parts: Parts, wanted: Rules): void {
  const { keeper, config, requests, log } = parts;
  const inherited = keeper?.inherited;
  const base = baseOf(config, wanted);
  if (inherited === undefined) parts.change(base.timeouts, changes([], parts.loaded));
  else {
    parts.rebuilding = parts.shared.inherited.filter(Boolean).length;
    requests.isCounting = parts.rebuilding > 0;
    const resumed = resume(requests, config, inherited, base, log);
    parts.change(resumed.timeouts, resumed.requests);
  }
  keeper?.basedOn(base);
}

/** After the host's parts, since checks need the TUN. */
function startHealth(parts: Parts, workers: Workers, { live, devices }: Attachment): void {
  const shared = devices.filter((device) => device.shared).map(({ name }) => name);
  if (live !== undefined)
    parts.health.path = new CheckPath({
      tun: workers.tun,
      has: (address) => live.has(address),
      intercept: (protocols) => parts.host?.interceptAnswers(shared, protocols),
      send: (message) => workers.send(message),
      warn: (message) => parts.log.warn(message),
    });
  parts.health.configure(parts.config.checks);
}

/** What is done at intervals. */
function startJobs(parts: Parts): void {
  const { config, requests, announcement, sync } = parts;
  parts.every(HOUSEKEEPING_MS, () => (parts.isHandingOver() ? undefined : requests.tick()));
  if (config.announce !== undefined) {
    parts.every(ANNOUNCE_MS, () => announcement.refresh());
    parts.until(BEGIN_MS, () => announcement.begin());
  }
  parts.every(CHECK_MS, () => watch(parts));
  parts.every(CHECK_MS, () => void parts.attempt(() => sync.refresh()));
}

/** What the log says about the network beside the monitor's reports. */
function watch({ shared, host, wire }: Parts): void {
  const { counters } = shared.sum;
  shared.sum.gather(0, 0);
  host?.warnUnrouted();
  wire.drops(DROP_NAMES.map((name, i) => ({ name, text: DROP_TEXTS[i]!, packets: counters.drops(i) })));
}

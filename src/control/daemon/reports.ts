/**
 * Reports of the workers, and what the director does about them.
 *
 *     worker ─ report ─┬─ resolve, originate ─► host        ├─ rebuilt, paused ─► start, takeover
 *                      ├─ traced ─► requests                └─ died ─► revive: a new thread, same table
 *                      └─ fault, detached ─► hotplug             failed ─► the director ends
 */
import { serviceWords } from '../config/service-words.js';
import type { Report } from '../engine/messages.js';
import type { Parts } from './parts.js';

/** Follows a report. */
export function onReport(parts: Parts, report: Report): void {
  if (report.kind === 'resolve') parts.live?.resolve(report.device, report.ip);
  else if (report.kind === 'traced') parts.requests.tracing.add(report.record);
  else if (report.kind === 'flowsRead') parts.workers?.hasReadFlows(report.id);
  else if (report.kind === 'originate') parts.rawOut?.send(report.packet);
  else if (report.kind === 'warned') parts.log.warn(report.message);
  else if (report.kind === 'goesFirst') parts.log.info({ worker: report.worker }, 'the worker has real-time priority');
  else if (report.kind === 'synProxy') synProxyTurned(parts, report);
  else if (report.kind === 'rebuilt') rebuilt(parts, report);
  else if (report.kind === 'paused') parts.workers?.hasPaused(report.worker, report.positions);
  else if (report.kind === 'fault') parts.hotplug?.fault(report.device, report.why);
  else if (report.kind === 'detached') void parts.attempt(() => parts.hotplug?.letGo(report.device));
  else if (report.kind === 'died') void revive(parts, report.worker, report.message);
  else if (report.kind === 'failed') parts.around.onFailure(report.message);
}

/** A service that was deleted in between has no name any more. */
function synProxyTurned({ requests, wire }: Parts, { worker, slot, on }: Extract<Report, { kind: 'synProxy' }>): void {
  const service = requests.rules.slotted().find((one) => one.slot === slot);
  if (service !== undefined) wire.synProxy(serviceWords(service.config.key), worker, on);
}

/** A worker has its connections again. */
function rebuilt(parts: Parts, { worker, kept, lost, ms }: Extract<Report, { kind: 'rebuilt' }>): void {
  parts.rebuilding = Math.max(0, parts.rebuilding - 1);
  if (parts.rebuilding === 0) parts.whenRebuilt();
  parts.requests.isCounting = parts.rebuilding > 0;
  parts.log.info({ worker, kept, lost, ms: Math.round(ms) }, 'goes on with the connections of the former process');
}

/** Starts a worker that has died anew, and tells it rules and network. */
async function revive(parts: Parts, worker: number, why: string): Promise<void> {
  const { workers, requests, log } = parts;
  const { onFailure } = parts.around;
  log.error(`${why}; worker ${worker} is started anew, and the connections stay`);
  try {
    parts.hotplug?.workerDied();
    if (!(await workers?.revive(worker, requests.replay()))) return onFailure(why);
    parts.sendNetwork();
    workers?.attachAll(worker);
    parts.health.path?.revive();
    log.info(`worker ${worker} is back`);
  } catch (error) {
    onFailure(`${why}; it cannot be started anew: ${(error as Error).message}`);
  }
}

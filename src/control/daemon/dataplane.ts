/**
 * The host's stack and the workers of a director, and what follows the host's network:
 *
 *     host stack: intercept rules ─► workers: threads, then devices ─► hotplug: interfaces go and come
 *     live network (rtnetlink) ─ listener ─► workers (routes, neighbours), host, hotplug, wire log
 */
import type { DeviceSetup, Message } from '../engine/messages.js';
import { staticRoutes } from '../engine/static-network.js';
import type { Workers } from '../engine/workers.js';
import type { Attachment } from '../host/attach.js';
import { HostStack } from '../host/host-stack.js';
import { Hotplug } from '../host/hotplug.js';
import type { Listener } from '../host/live-network.js';
import { RawOut } from '../host/raw-out.js';
import { CHECK_MS, type Parts } from './parts.js';
import { onReport } from './reports.js';

/** Period of the check for devices that receive nothing any more, and of tries to attach them. */
const DEVICE_CHECK_MS = 1000;

/** Keeps the packets of the services from the host's stack. Throws a DeviceError. */
export function startHost(parts: Parts, attachment: Attachment): void {
  const { live } = attachment;
  if (live === undefined) return;
  const { config, log, keeper, requests } = parts;
  const host = new HostStack(live, config, log, () => requests.rules.configs(), keeper !== undefined);
  parts.host = host;
  host.start(attachment);
  parts.every(CHECK_MS, () => void parts.attempt(() => host.check()));
}

/** Starts the threads, then opens the devices. With `standsBy` the threads wait (Workers.goOn). */
export async function startWorkers(
  parts: Parts,
  workers: Workers,
  { live, reasons }: Attachment,
  standsBy = false,
): Promise<void> {
  const { log } = parts;
  for (const reason of reasons) log.info(reason);
  if (live !== undefined) parts.rawOut = new RawOut((message) => log.error(message));
  for (const line of await workers.start((report) => onReport(parts, report), standsBy)) log.info(line);
  const isThere = ({ name, shared }: DeviceSetup) => !shared || live?.indexOf(name) !== undefined;
  for (const line of workers.open(isThere)) log.info(line);
  startHotplug(parts, workers);
}

function startHotplug(parts: Parts, workers: Workers): void {
  const around = {
    send: (message: Message) => workers.send(message),
    indexOf: (name: string) => parts.live?.indexOf(name),
    changed: () => devicesChanged(parts),
  };
  const hotplug = new Hotplug(workers.set, parts.config.workers, around, parts.log);
  parts.hotplug = hotplug;
  parts.every(DEVICE_CHECK_MS, () => void parts.attempt(() => (parts.isHandingOver() ? undefined : hotplug.check())));
}

/** An interface has left or was attached. */
function devicesChanged(parts: Parts): void {
  const away = parts.hotplug?.away ?? [];
  void parts.attempt(() => parts.host?.followDevices(away));
  parts.live?.refresh();
}

/** Who hears of changes of the host's network. */
export function listener(parts: Parts): Listener {
  return {
    send: (message) => parts.workers?.send(message),
    changed: () => void parts.attempt(() => parts.host?.refresh()),
    wire: (states) => parts.wire.links(states),
    nextHop: (device, ip, answers) => parts.wire.nextHop(device, ip, answers),
    linksChanged: () => void parts.attempt(() => (parts.isHandingOver() ? undefined : parts.hotplug?.linksChanged())),
    warned: (message) => parts.log.warn(message),
    routes: (devices) => (parts.config.routes === undefined ? undefined : staticRoutes({ ...parts.config, devices })),
  };
}

/**
 * What a worker does about the flow table, which the control thread makes (open-flows.ts).
 *
 *     director.yaml `offload` ─► openFlows ─► FlowMaps ─► programs of the devices (device-set.ts)
 *                                                └─► worker: useFlows, beforeMessage
 */
import type { Director } from '../../dataplane/director.js';
import { Offload } from '../../dataplane/offload/offload.js';
import { type FlowMapFds, SEEN_UNIT_MS, SLOTS } from '../../device/flow/layout.js';
import { type FlowMaps, flowMemory } from '../../device/flow/maps.js';
import type { OffloadStatus } from '../api/api.js';
import type { DeviceSetup, Message } from './messages.js';

/** Messages after which packets of connections are forwarded as before. */
const HARMLESS: readonly Message['kind'][] = [
  'neighbours',
  'checks',
  'trace',
  'reclaim',
  'syncReceived',
  'syncResend',
  'readFlows',
  'beginFlows',
  'deepen',
  'pause',
  'stop',
];

/** The worker offloads connections, once its offload has begun. `index`: number of the worker. */
export function useFlows(d: Director, fds: FlowMapFds, { index = 0, count = 1 } = {}): Offload {
  const offload = new Offload(d, flowMemory(fds), { unitMs: SEEN_UNIT_MS, worker: index, workers: count });
  d.offload = offload;
  d.connections.offloadTo(offload);
  return offload;
}

/**
 * Call it before the worker follows a message: packets come to the director again when the message
 * may change where they go, and are counted before it may change what they count for.
 */
export function beforeMessage(offload: Offload, message: Message): void {
  if (message.kind === 'trace') offload.setOff(message.spec !== undefined);
  if (message.kind === 'readFlows') offload.read();
  // Another process goes on, with these lines, counters and timers.
  if (message.kind === 'pause') offload.leave();
  if (HARMLESS.includes(message.kind)) return;
  offload.settle();
  if (message.kind === 'links') offload.forgetHops();
}

/** For `ulvs status`. `devices`: of the director. */
export function offloadStatus(flows: FlowMaps, devices: readonly DeviceSetup[]): OffloadStatus {
  return {
    ...flows.stats,
    lines: SLOTS * 2 ** flows.fds.bits,
    devices: devices.filter((_, i) => flows.hasDevice(i)).map(({ name }) => name),
  };
}

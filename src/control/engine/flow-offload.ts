/**
 * The offload of a director: the flow table, which the control thread makes, and what the worker
 * does about it.
 *
 *     director.yaml `offload` ─► openFlows ─► FlowMaps ─► programs of the devices (device-set.ts)
 *                                                └─► worker: useFlows, beforeMessage
 */
import type { Director } from '../../dataplane/director.js';
import { Offload } from '../../dataplane/offload/offload.js';
import { type FlowMapFds, SEEN_UNIT_MS, WAYS, WORKERS } from '../../device/flow/layout.js';
import { FlowMaps, flowMemory } from '../../device/flow/maps.js';
import { kindOf } from '../../device/kinds.js';
import { hasTcx } from '../../device/packet/flow-programs.js';
import { SystemError } from '../../sys/libc.js';
import type { OffloadStatus } from '../api/api.js';
import type { Config } from '../config/config.js';
import type { DeviceSetup, Message } from './messages.js';

/** 2 to this power buckets of four lines, 16 MB: 32,768 connections at a quarter of the lines. */
const BITS = 16;

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

/**
 * The flow table that a configuration wants; undefined without offload, or where no device can use
 * it. Lines that say why not go to `say`.
 */
export function openFlows(
  { offload, workers }: Pick<Config, 'offload' | 'workers'>,
  devices: readonly DeviceSetup[],
  say: (line: string) => void,
): FlowMaps | undefined {
  const programs = new Set(devices.map(({ kind }) => kindOf(kind).offload));
  if (offload === 'off' || !(programs.has('frames') || programs.has('skbs'))) return undefined;
  if (workers > WORKERS) {
    say(`no offload: it needs ${WORKERS} workers or fewer`);
    return undefined;
  }
  try {
    const tcx = programs.has('skbs') && hasTcx();
    if (programs.has('skbs') && !tcx) say('no offload for devices of kind packet: this kernel has no tcx (Linux 6.6)');
    return tcx || programs.has('frames') ? FlowMaps.make(BITS, tcx, workers) : undefined;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    say(`no offload: ${error.message}`);
    return undefined;
  }
}

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
    lines: WAYS * 2 ** flows.fds.bits,
    devices: devices.filter((_, i) => flows.hasDevice(i)).map(({ name }) => name),
  };
}

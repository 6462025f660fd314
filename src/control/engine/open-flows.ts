/**
 * The flow table of a director's offload: new, or that of the process before it, by which programs
 * go on with established connections meanwhile.
 *
 *     takeover          descriptors of the running director ─┐
 *     killed before     pins of the same state ──────────────┼─► the same maps: FlowMaps ─► devices, workers
 *     else              new maps, pinned where there is a state
 */
import { DEVICES, type FlowMapFds, WORKERS } from '../../device/flow/layout.js';
import { FlowMaps } from '../../device/flow/maps.js';
import { FlowPins } from '../../device/flow/pins.js';
import { kindOf } from '../../device/kinds.js';
import { hasTcx } from '../../device/packet/flow-programs.js';
import { flowProgram } from '../../device/xdp/program.js';
import { tellsRedirected } from '../../netlink/xdp-features.js';
import { loadXdp, ProgramRefused } from '../../sys/bpf.js';
import { close, ifNameToIndex, SystemError } from '../../sys/libc.js';
import type { Config } from '../config/config.js';
import type { DeviceSetup } from './messages.js';

/**
 * 2 to this power buckets: 65,536 connections have a line for each direction in a quarter of the
 * slots, where one line in 4,000 finds no slot. 74 MB.
 */
const BITS = 16;

/** What a process has from the one before it. */
export interface Inherited {
  /** Directory of the state; undefined: none. */
  readonly state: string | undefined;
  /** The connection tables are those of a former process. */
  readonly connections: boolean;
  /** The flow table of the director that is taken over, with descriptors of this process. */
  readonly flows?: FlowMapFds | undefined;
}

/** How the maps are made. */
interface Shape {
  readonly tcx: boolean;
  readonly workers: number;
}

/**
 * The flow table that a configuration wants; undefined without offload, or where no device can use
 * it. Lines that say why not go to `say`.
 */
export function openFlows(
  config: Pick<Config, 'offload' | 'workers'>,
  devices: readonly DeviceSetup[],
  inherited: Inherited,
  say: (line: string) => void,
): FlowMaps | undefined {
  const pins = inherited.state === undefined ? undefined : FlowPins.of(inherited.state);
  try {
    const shape = shapeOf(config, devices, say);
    const former = formerFlows(shape, devices, inherited, pins);
    if (shape === undefined) return undefined;
    const flows = former ?? FlowMaps.make(BITS, shape.tcx, shape.workers);
    keep(flows, pins, say);
    return flows;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    say(`no offload: ${error.message}`);
    return undefined;
  }
}

/** Undefined: no offload. */
function shapeOf(
  { offload, workers }: Pick<Config, 'offload' | 'workers'>,
  devices: readonly DeviceSetup[],
  say: (line: string) => void,
): Shape | undefined {
  const programs = new Set(devices.map(({ kind }) => kindOf(kind).offload));
  if (offload === 'off' || !(programs.has('frames') || programs.has('skbs'))) return undefined;
  if (workers > WORKERS) {
    say(`no offload: it needs ${WORKERS} workers or fewer`);
    return undefined;
  }
  const refusal = programs.has('frames') ? frameRefusal() : '';
  if (refusal !== '') {
    say(`no offload: ${refusal}`);
    return undefined;
  }
  const tcx = programs.has('skbs') && hasTcx();
  if (programs.has('skbs') && !tcx) say('no offload for devices of kind packet: this kernel has no tcx (Linux 6.6)');
  return tcx || programs.has('frames') ? { tcx, workers } : undefined;
}

/**
 * Why devices of kind xdp cannot have offload here; '': they can. They would not open with a
 * program that the kernel refuses.
 */
function frameRefusal(): string {
  if (!tellsRedirected()) return 'this kernel does not say which devices take redirected frames (Linux 6.3)';
  const flows = FlowMaps.make(0);
  try {
    close(loadXdp(flowProgram({ fds: flows.fds, completes: true })));
    return '';
  } catch (error) {
    if (!(error instanceof ProgramRefused)) throw error;
    return `this kernel refuses the XDP program (${error.code})`;
  } finally {
    flows.close();
  }
}

/**
 * The maps of the process before; undefined: there are none that fit, and what was left is removed.
 */
function formerFlows(
  shape: Shape | undefined,
  devices: readonly DeviceSetup[],
  { flows, connections }: Inherited,
  pins: FlowPins | undefined,
): FlowMaps | undefined {
  if (flows !== undefined) {
    const former = shape && FlowMaps.adopt(BITS, shape.tcx, shape.workers, (name) => flows[name]);
    if (former === undefined) {
      new FlowMaps(flows).turnOff();
      pins?.remove();
    }
    return former;
  }
  if (pins === undefined || !pins.exist) return undefined;
  const former = shape && connections ? adoptPinned(shape, pins) : undefined;
  if (former !== undefined && isOf(devices, former)) return former;
  former?.close();
  pins.remove();
  return undefined;
}

function adoptPinned({ tcx, workers }: Shape, pins: FlowPins): FlowMaps | undefined {
  try {
    return FlowMaps.adopt(BITS, tcx, workers, (name) => pins.open(name));
  } catch (error) {
    // Its process was killed before it had pinned all.
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/** Its devices have the same numbers and interfaces. */
function isOf(devices: readonly DeviceSetup[], flows: FlowMaps): boolean {
  return Array.from({ length: DEVICES }, (_, i) => flows.interfaceOf(i)).every(
    (ifindex, i) => ifindex === 0 || ifindex === ifNameToIndex(devices[i]?.name ?? ''),
  );
}

/** Programs go on when this process is killed, where that is possible. */
function keep(flows: FlowMaps, pins: FlowPins | undefined, say: (line: string) => void): void {
  if (pins === undefined) return;
  try {
    if (!pins.exist) pins.create(flows.fds);
    flows.pins = pins;
  } catch (error) {
    say(`offload ends with this process: ${(error as Error).message}`);
  }
}

/** What control thread and dataplane tell each other: plain data, both ways. */

import type { RouteData } from '../../dataplane/table/routes.js';
import type { TraceRecord, TraceSpec } from '../../dataplane/trace/trace.js';
import type { WorkersSetup } from '../../dataplane/workers/dispatch.js';
import type { SteeringStage } from '../../dataplane/workers/steering.js';
import type { DeviceKind } from '../../device/kinds.js';
import type { QueueShare } from '../../device/queue-share.js';
import type { InterceptMapFds } from '../../device/xdp/layout.js';
import type { Config } from '../config/config.js';
import type { Settings } from '../config/director-config.js';
import type { Action } from '../rules/actions.js';

/** How a configured device is attached: everything that had to be found out is found out. */
export interface DeviceSetup {
  readonly name: string;
  readonly kind: DeviceKind;
  readonly mac: string;
  readonly mtu: number;
  readonly promiscuous: boolean;
  /** With prefix lengths. */
  readonly addresses: readonly string[];
  /** The host's stack has the interface, too (device/kinds.ts). */
  readonly shared: boolean;
  /** What is intercepted never reaches the host's stack. */
  readonly exclusive: boolean;
  /** Of an exclusive device: the maps that say what is intercepted. */
  readonly maps?: InterceptMapFds | undefined;
  /** Where several workers read the device: this worker's share. */
  readonly share?: QueueShare | undefined;
  readonly resolves: boolean;
}

/** Everything a dataplane needs to begin. */
export interface RunnerSetup {
  readonly config: Config;
  readonly devices: readonly DeviceSetup[];
  readonly counters: SharedArrayBuffer;
  /** Of several workers: the buffer of the first, whose gauges all share; and what else they share. */
  readonly gauges?: SharedArrayBuffer | undefined;
  readonly crew?: WorkersSetup | undefined;
  /** The connection table's memory, and how many lines it has. */
  readonly table: SharedArrayBuffer;
  readonly connections: number;
  /** What the devices count (device-counters.ts). */
  readonly deviceCounters: SharedArrayBuffer;
  /** Int32 words: [0] orders wait to be read. */
  readonly flags: SharedArrayBuffer;
  /** eventfd that ends the dataplane's wait. */
  readonly bellFd: number;
  /** The host's stack is beside the director: two more links lead into it and by its routing. */
  readonly live: boolean;
}

export interface NeighbourFact {
  readonly device: number;
  readonly ip: string;
  /** '' where it is not known (any more). */
  readonly mac: string;
  /** Nobody answered. */
  readonly failed: boolean;
}

export type Order =
  | { kind: 'actions'; actions: readonly Action[] }
  | ({ kind: 'routes' } & RouteData)
  /** MAC and MTU of each device. */
  | { kind: 'links'; links: readonly Pick<DeviceSetup, 'mac' | 'mtu'>[] }
  /** Of each device; one list more is of the host's other interfaces. */
  | { kind: 'addresses'; addresses: readonly (readonly string[])[] }
  | { kind: 'neighbours'; facts: readonly NeighbourFact[] }
  | ({ kind: 'settings' } & Settings)
  /** Without a spec: nothing is traced any more. */
  | { kind: 'trace'; spec?: TraceSpec }
  /** How much of a client decides whose it is. */
  | { kind: 'owners'; stages: readonly SteeringStage[] }
  | { kind: 'stop' };

export type Report =
  /** `tun`: the way into the host, '' where there is none. */
  | { kind: 'ready'; reasons: readonly string[]; tun: string }
  /** One line for the user. */
  | { kind: 'failed'; message: string; mistake: boolean }
  | { kind: 'warned'; message: string }
  /** A neighbour that the kernel should find out. */
  | { kind: 'wanted'; device: number; ip: string }
  /** An IP packet to be sent by the host's own routing. */
  | { kind: 'originate'; packet: Uint8Array }
  | { kind: 'traced'; record: TraceRecord }
  | { kind: 'stopped' };

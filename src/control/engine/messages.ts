/**
 * Messages between the control thread and the dataplane, as plain data: Message to it, Report from
 * it. Many actions are one message on their way to the thread, packed as one list, and are applied
 * in pieces, because the dataplane forwards between two pieces:
 *
 *     actions ─► packed × 512 ─► port of the thread ─► actions × 32 ─► a turn ─► actions × 32 ─► …
 */

import type { TableMemory } from '../../conntrack/memory.js';
import type { CompiledRoutes } from '../../dataplane/table/compiled-routes.js';
import type { TraceRecord, TraceSpec } from '../../dataplane/trace/trace.js';
import type { WorkersSetup } from '../../dataplane/workers/dispatch.js';
import type { SteeringStage } from '../../dataplane/workers/steering.js';
import type { FlowMapFds } from '../../device/flow/layout.js';
import type { DeviceHandle } from '../../device/handle.js';
import type { DeviceKind } from '../../device/kinds.js';
import type { TunHandle } from '../../device/tun/tap.js';
import type { UmemMemory } from '../../device/umem-memory.js';
import type { InterceptMapFds } from '../../device/xdp/layout.js';
import type { Block } from '../../stats/block.js';
import type { Config } from '../config/config.js';
import type { Settings } from '../config/director-config.js';
import type { Action } from '../rules/actions.js';
import { type Packed, pack, unpackPieces } from '../rules/packed-actions.js';
import type { Backed } from './shared-memory.js';
import type { Standby } from './standby/standby.js';

/** A configured device, with all facts that its attachment needs. */
export interface DeviceSetup {
  readonly name: string;
  readonly kind: DeviceKind;
  readonly mac: string;
  readonly mtu: number;
  readonly promiscuous: boolean;
  readonly gso: 'auto' | 'off';
  /** With prefix lengths: 10.0.0.254/24. */
  readonly addresses: readonly string[];
  /** The host's stack has the interface, too (device/kinds.ts). */
  readonly shared: boolean;
  /** What is intercepted never reaches the host's stack. */
  readonly exclusive: boolean;
  /** Of an exclusive device: the maps that say what is intercepted. */
  readonly maps?: InterceptMapFds | undefined;
  readonly resolves: boolean;
}

/** Everything that a dataplane needs at its start. */
export interface RunnerSetup {
  readonly config: Config;
  readonly devices: readonly DeviceSetup[];
  /** The frames. */
  readonly umem: UmemMemory;
  /** TUN into the host's stack; undefined: there is none. */
  readonly tun?: TunHandle | undefined;
  readonly counters: Block;
  /** With several workers: the counters of the first, whose gauges all share. */
  readonly gauges?: Block | undefined;
  /** With several workers: what they share. */
  readonly workers?: WorkersSetup | undefined;
  /** Memory of the connection table, and its number of lines. */
  readonly table: TableMemory;
  readonly connections: number;
  /** Three random words that key the table's hash. */
  readonly secret: readonly number[];
  /**
   * The table has connections of a former process or thread: its index is rebuilt. 'counted': the
   * gauges still count them, because other workers went on.
   */
  readonly inherited?: 'uncounted' | 'counted' | undefined;
  /** Another process forwards until the worker is told to begin. */
  readonly standby?: Standby | undefined;
  /** Files of table and counters; absent: the memory ends with the process. */
  readonly backed?: readonly Backed[] | undefined;
  /** Memory of the counters of devices (device-counters.ts). */
  readonly deviceCounters: SharedArrayBuffer;
  /** Memory of FrameCounts (frame-census.ts). */
  readonly frameCounts: SharedArrayBuffer;
  /** Memory of LoopStats. */
  readonly loop: SharedArrayBuffer;
  /** Int32 words: [0] is 1 while messages wait, [1] is the one of Urgency. */
  readonly flags: SharedArrayBuffer;
  /** eventfd that ends the wait of the dataplane for frames. */
  readonly wakeFd: number;
  /** Threads in which V8 compiles code and collects garbage. */
  readonly compilers: readonly number[];
  /** Handled before a device is opened: the first frame meets the whole configuration. */
  readonly first: readonly Message[];
  /** The host shares devices: two more links lead to its stack and to its routing. */
  readonly live: boolean;
  /** The flow table of the programs; undefined: there is no offload. */
  readonly flows?: FlowMapFds | undefined;
}

/** What the kernel knows about a link. */
export interface LinkFact {
  readonly mac: string;
  readonly mtu: number;
  readonly running: boolean;
}

/** What the kernel knows about a neighbour. */
export interface NeighbourFact {
  /** Index of the link. */
  readonly device: number;
  readonly ip: string;
  /** '': not known, or no longer. */
  readonly mac: string;
  /** The neighbour did not answer. */
  readonly failed: boolean;
}

/** From the control thread to the dataplane. */
export type Message =
  | { kind: 'actions'; actions: readonly Action[] }
  | ({ kind: 'routes' } & CompiledRoutes)
  /** MAC and MTU of each device, and whether it can send: it is up and has a carrier. */
  | { kind: 'links'; links: readonly LinkFact[] }
  /** Addresses of each device, then those of the other interfaces of the host. */
  | { kind: 'addresses'; addresses: readonly (readonly string[])[] }
  | { kind: 'neighbours'; facts: readonly NeighbourFact[] }
  | ({ kind: 'settings' } & Settings)
  /** Health checks through the dataplane; `protocols`: those that they use. */
  | { kind: 'checks'; memory: SharedArrayBuffer; protocols: readonly number[] }
  /** Without a spec: tracing ends. */
  | { kind: 'trace'; spec?: TraceSpec }
  /** The worker lets go of a device, and reports `detached`. */
  | { kind: 'detach'; device: number }
  /** The device that was let go of is closed: its frames are free. */
  | { kind: 'reclaim'; device: number }
  /** The device is open again. `handles`: by worker. */
  | { kind: 'attach'; device: number; handles: readonly (DeviceHandle | undefined)[] }
  /** The parts of a client's address by which workers share clients. */
  | { kind: 'steering'; stages: readonly SteeringStage[] }
  /** A master of synchronisation runs; each worker has a ring. Without rings it has stopped. */
  | { kind: 'syncMaster'; rings: readonly SharedArrayBuffer[]; ports: number; sequences: boolean }
  | { kind: 'syncBackup'; running: boolean }
  /** A message for a backup. `fresh`: an answer to its request; what it handled since is newer. */
  | { kind: 'syncReceived'; message: Uint8Array; fresh: boolean }
  /** The workers write all connections to their rings. */
  | { kind: 'syncResend' }
  /** All devices are open: connections that programs forward are decided about anew. */
  | { kind: 'beginFlows' }
  /** Counters and timers follow what programs have forwarded; the worker reports `flowsRead`. */
  | { kind: 'readFlows'; id: number }
  /** Another process is about to go on: the rings must hold what comes meanwhile. */
  | { kind: 'deepen' }
  /** The worker forwards no more, for another process goes on; it reports `paused`. */
  | { kind: 'pause' }
  | { kind: 'stop' };

/** From the dataplane to the control thread. */
export type Report =
  /** The dataplane runs. `thread`: the number of its thread, where it has one. */
  | { kind: 'ready'; thread?: number }
  /** A worker uses the device no more. */
  | { kind: 'detached'; device: number; worker: number }
  /** A worker forwards no more. `positions`: where its devices' rings are read, by device. */
  | { kind: 'paused'; worker: number; positions: readonly number[] }
  /** A device receives nothing any more though its interface is there. */
  | { kind: 'fault'; device: number; why: string }
  /** It cannot go on; `message`: one line. `mistake`: the user can mend it. */
  | { kind: 'failed'; message: string; mistake: boolean }
  /** A worker ended. Its connection table and counters are still there. */
  | { kind: 'died'; worker: number; message: string }
  | { kind: 'warned'; message: string }
  /** The worker has real-time priority from now on. */
  | { kind: 'goesFirst'; worker: number }
  /** The SYN proxy of a service, in mode auto, begins or ends to answer SYNs of this worker. */
  | { kind: 'synProxy'; worker: number; slot: number; on: boolean }
  /** The table of a former process has its index again (conntrack/rebuild). */
  | { kind: 'rebuilt'; worker: number; kept: number; lost: number; ms: number }
  /** A neighbour that the kernel shall resolve. */
  | { kind: 'resolve'; device: number; ip: string }
  /** An IP packet to send by the routing of the host. */
  | { kind: 'originate'; packet: Uint8Array }
  | { kind: 'traced'; record: TraceRecord }
  | { kind: 'flowsRead'; id: number }
  | { kind: 'stopped' };

/** A message on its way to the thread. */
export type PostedMessage = Exclude<Message, { kind: 'actions' }> | { kind: 'packed'; packed: Packed };

/** Actions in one message. The thread reads it as a whole and does not forward meanwhile. */
const MOST = 512;
/** Actions in one piece. */
const PIECE = 32;

export function toPosted(message: Message): PostedMessage[] {
  if (message.kind !== 'actions') return [message];
  return partsOf(message.actions).map((actions) => ({ kind: 'packed', packed: pack(actions) }));
}

/** A short list is its own part: `pack` knows it. */
function partsOf(actions: readonly Action[]): readonly (readonly Action[])[] {
  if (actions.length <= MOST) return [actions];
  const count = Math.ceil(actions.length / MOST);
  return Array.from({ length: count }, (_, i) => actions.slice(i * MOST, (i + 1) * MOST));
}

/** The message, or its pieces, each made when it is asked for. */
export function* fromPosted(message: PostedMessage): Generator<Message> {
  if (message.kind !== 'packed') yield message;
  else for (const actions of unpackPieces(message.packed, PIECE)) yield { kind: 'actions', actions };
}

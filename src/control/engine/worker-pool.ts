/**
 * Several workers as one dataplane, as the control thread sees them. Their shared parts are made
 * here before they start, and follow the services. One worker has no shared parts.
 *
 *     services ─► SteeringKey ─► parts of a client's address ─┬─► message to the workers
 *                                                             └─► fanout program of packet devices
 */
import { randomInt } from 'node:crypto';
import type { WorkersSetup } from '../../dataplane/workers/dispatch.js';
import { HandoffRing } from '../../dataplane/workers/handoff.js';
import type { SteeringStage } from '../../dataplane/workers/steering.js';
import type { Share } from '../../device/handle.js';
import { kindOf } from '../../device/kinds.js';
import { Fanout, type FanoutSource } from '../../device/packet/fanout.js';
import { Bell } from '../../device/poll.js';
import { frameSizeFor } from '../../device/umem-memory.js';
import type { InterceptMaps } from '../../device/xdp/intercept-maps.js';
import { isFwmark, type ServiceConfig } from '../../service/config.js';
import { receiveQueues } from '../../sys/interface.js';
import { bytes4, bytes6, isIPv6, parse4, parse6 } from '../../wire/address.js';
import type { ChangeRequest } from '../api/api.js';
import { isFtp } from '../rules/ftp-ports.js';
import type { DeviceSet } from './device-set.js';
import type { DeviceSetup, Message, Report, RunnerSetup } from './messages.js';
import type { Backed, SharedMemory } from './shared-memory.js';
import { SteeringKey } from './steering-key.js';
import { type Dataplane, type DataplaneSetup, startWorkers } from './worker-handle.js';

/**
 * Number of fanout groups (16 bits) in a network namespace, for all processes: a random one is
 * likely free.
 */
const GROUPS = 0x10000;

type DestinationChange = Extract<ChangeRequest, { op: 'addDestination' | 'editDestination' }>;

/** The setup of a worker, without the shared parts. */
export function setupFor(
  worker: number,
  shared: SharedMemory,
  set: DeviceSet,
  base: Pick<RunnerSetup, 'config' | 'devices' | 'live' | 'first'>,
): DataplaneSetup {
  return {
    ...base,
    umem: set.memories[worker]!,
    tun: set.tuns[worker],
    table: shared.memories[worker]!,
    secret: shared.secrets[worker]!,
    connections: shared.connections,
    counters: shared.sum.memories[worker]!,
    deviceCounters: shared.deviceCounters[worker]!.buffer,
    frameCounts: shared.frameCounts[worker]!,
    loop: shared.loops[worker]!,
    backed: backedOf(worker, shared),
  };
}

/** The files of a worker's memory. All workers share the gauges of the first. */
function backedOf(worker: number, { backed }: SharedMemory): readonly Backed[] {
  const [first] = backed;
  if (first === undefined || worker === 0) return backed.slice(0, 1);
  return [backed[worker]!, { path: first.path, parts: first.parts.slice(-1) }];
}

/** The secret and the stages by which workers share clients. */
export interface InheritedSteering {
  readonly secret?: readonly number[] | undefined;
  readonly stages?: readonly SteeringStage[] | undefined;
}

/** The workers of one director. */
export class WorkerPool {
  private readonly steeringKey: SteeringKey;
  private fanout: Fanout | undefined;

  private readonly wakeups: readonly Bell[];
  private readonly common: Omit<WorkersSetup, 'index'>;

  /**
   * `maps`: of the exclusive devices. `inherited`: how a former process shared clients, whose
   * connections go on. Throws a SystemError.
   */
  constructor(
    private readonly shared: SharedMemory,
    devices: readonly DeviceSetup[],
    private readonly maps: InterceptMaps | undefined,
    inherited: InheritedSteering = {},
  ) {
    const count = shared.workers;
    const secret = inherited.secret ?? [...crypto.getRandomValues(new Int32Array(3))];
    this.steeringKey = new SteeringKey(inherited.stages);
    if (devices.some(({ kind }) => kindOf(kind).workers === 'fanout')) this.fanout = new Fanout(count, secret);
    if (inherited.stages !== undefined) this.fanout?.setFields(inherited.stages.at(-1)!);
    this.wakeups = Array.from({ length: count }, () => new Bell());
    this.common = {
      count,
      secret,
      rings: Array.from({ length: count * count }, () =>
        HandoffRing.memory(frameSizeFor(devices.map(({ mtu }) => mtu))),
      ),
      asleep: new SharedArrayBuffer(4 * count),
      quiet: new SharedArrayBuffer(4 * count),
      bellFds: this.wakeups.map(({ fd }) => fd),
    };
  }

  /** Tells a fresh worker how clients are shared. */
  get steering(): Message {
    return { kind: 'steering', stages: this.steeringKey.stages };
  }

  /** What the workers share of a device, made anew. */
  shareOf({ name, kind }: DeviceSetup): Share {
    const { count } = this.common;
    if (kindOf(kind).workers === 'queues') return { count, xsks: this.maps!.sockets(name, receiveQueues(name)) };
    return { count, group: randomInt(1, GROUPS), program: this.fanout!.program };
  }

  /** The setup with the shared parts. */
  complete(setup: DataplaneSetup, index: number): DataplaneSetup {
    return { ...setup, gauges: this.shared.sum.memories[0], workers: { ...this.common, index } };
  }

  /** Starts the workers with complete setups. Rejects with an Error of one line. */
  start(setups: readonly DataplaneSetup[], onReport: (report: Report) => void): Promise<Dataplane> {
    return startWorkers(setups, this.wakeups, onReport);
  }

  /**
   * Follows accepted changes of the rule table. Returns the messages for the workers. `services`:
   * as they are now. `ftp`: ports of the helper.
   */
  update(
    changes: readonly ChangeRequest[],
    services: () => readonly ServiceConfig[],
    ftp: readonly number[],
  ): Message[] {
    const sources = changes.flatMap((change) => ('destination' in change ? sourcesOf(change, ftp) : []));
    if (sources.length > 0) this.fanout?.addSources(sources);
    if (changes.every(({ op }) => op.endsWith('Destination'))) return [];
    const stages = this.steeringKey.update(services(), ftp, this.shared.hasConnections);
    if (stages === undefined) return [];
    this.fanout?.setFields(stages.at(-1)!);
    return [{ kind: 'steering', stages }];
  }

  /** Call after the workers have stopped. */
  close(): void {
    // Only now: a worker may wake another one while it stops.
    for (const wakeup of this.wakeups) wakeup.close();
    this.fanout?.close();
  }
}

/** Sources of replies from a masq destination. FTP and fwmark services have any port. */
function sourcesOf({ key, destination }: DestinationChange, ftp: readonly number[]): FanoutSource[] {
  const { address, port, method } = destination;
  if (method !== 'masq') return [];
  const bytes = isIPv6(address) ? bytes6(parse6(address)!) : bytes4(parse4(address)!);
  if (isFwmark(key) || port === 0 || isFtp(key, ftp)) return [{ address: bytes, port: 0, protocol: 0 }];
  return [{ address: bytes, port, protocol: key.protocol }];
}

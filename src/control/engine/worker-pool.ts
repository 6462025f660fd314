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
import type { WorkerFile } from '../state/worker-file.js';
import type { DeviceSetup, Message, Report, RunnerSetup } from './messages.js';
import type { SharedMemory } from './shared-memory.js';
import { SteeringKey } from './steering-key.js';
import { type Dataplane, type DataplaneSetup, startWorkers } from './worker-handle.js';

/**
 * Number of fanout groups (16 bits) in a network namespace, for all processes: a random one is
 * likely free.
 */
const GROUPS = 0x10000;

type DestinationChange = Extract<ChangeRequest, { op: 'addDestination' | 'editDestination' }>;

/** The setup of each worker, without the shared parts. `kept`: files of a state. */
export function setupsFor(
  shared: SharedMemory,
  base: Pick<RunnerSetup, 'config' | 'devices' | 'live' | 'first'>,
  kept?: readonly WorkerFile[],
): DataplaneSetup[] {
  return shared.memories.map((table, i) => ({
    ...base,
    table,
    connections: shared.connections,
    counters: shared.sum.memories[i]!,
    secret: kept?.[i]?.header.secret,
    inherited: kept?.[i]?.inherited ? 'uncounted' : undefined,
    deviceCounters: shared.deviceCounters[i]!.buffer,
  }));
}

/** The secret and the stages by which workers share clients. */
export interface InheritedSteering {
  readonly secret?: readonly number[] | undefined;
  readonly stages?: readonly SteeringStage[] | undefined;
}

/** The workers of one director. */
export class WorkerPool {
  private readonly steeringKey: SteeringKey;
  private readonly secret: readonly number[];
  private fanout: Fanout | undefined;

  /** `inherited`: how a former process shared clients, whose connections go on. */
  constructor(
    private readonly shared: SharedMemory,
    private readonly inherited: InheritedSteering = {},
  ) {
    this.secret = inherited.secret ?? [...crypto.getRandomValues(new Int32Array(3))];
    this.steeringKey = new SteeringKey(inherited.stages);
  }

  /**
   * Makes what follows the services. Call before the first `update`. Returns the first messages for
   * the workers. Throws a DeviceError.
   */
  prepare(devices: readonly DeviceSetup[]): Message[] {
    if (devices.some(({ kind }) => kindOf(kind).workers === 'fanout'))
      this.fanout = new Fanout(this.shared.workers, this.secret);
    const { stages } = this.inherited;
    if (stages !== undefined) this.fanout?.setFields(stages.at(-1)!);
    return stages === undefined ? [] : [{ kind: 'steering', stages }];
  }

  /** `maps`: of the exclusive devices. Rejects with an Error of one line. */
  start(
    setups: readonly DataplaneSetup[],
    maps: readonly InterceptMaps[],
    onReport: (report: Report) => void,
  ): Promise<Dataplane> {
    const count = setups.length;
    const { devices } = setups[0]!;
    const wakeups = setups.map(() => new Bell());
    const workers = this.workersOf(count, devices, wakeups);
    const shares = devices.map((device) => ({ ...this.shareOf(device, maps), count }));
    const complete = setups.map((setup, index) => ({
      ...setup,
      devices: devices.map((device, i) => ({ ...device, share: { ...shares[i]!, index } })),
      gauges: setups[0]!.counters,
      workers: { ...workers, index },
    }));
    return startWorkers(complete, wakeups, onReport);
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
    this.fanout?.close();
  }

  private workersOf(
    count: number,
    devices: readonly DeviceSetup[],
    wakeups: readonly Bell[],
  ): Omit<WorkersSetup, 'index'> {
    const frameSize = frameSizeFor(devices.map(({ mtu }) => mtu));
    return {
      count,
      secret: this.secret,
      rings: Array.from({ length: count * count }, () => HandoffRing.memory(frameSize)),
      asleep: new SharedArrayBuffer(4 * count),
      bellFds: wakeups.map(({ fd }) => fd),
    };
  }

  private shareOf({ name, kind }: DeviceSetup, maps: readonly InterceptMaps[]) {
    if (kindOf(kind).workers === 'queues')
      return { xsks: maps.find(({ device }) => device === name)!.sockets(receiveQueues(name)) };
    return { group: randomInt(1, GROUPS), program: this.fanout!.program };
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

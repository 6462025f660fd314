/**
 * Several workers as one dataplane, from outside: what they share is made here before they start, and kept in step with the
 * services. With one worker there is nothing to share.
 *
 *     services ─► SteeringKey ─► how much of a client counts ─┬─► orders: the workers' own look
 *                                                           └─► the fanout program's, of packet devices
 */
import { randomInt } from 'node:crypto';
import type { WorkersSetup } from '../../dataplane/workers/dispatch.js';
import { HandoffRing } from '../../dataplane/workers/handoff.js';
import { kindOf } from '../../device/kinds.js';
import { Fanout, type FanoutSource } from '../../device/packet/fanout.js';
import { Bell } from '../../device/poll.js';
import { frameSizeFor } from '../../device/umem-memory.js';
import type { InterceptMaps } from '../../device/xdp/intercept-maps.js';
import { isFwmark } from '../../service/config.js';
import { receiveQueues } from '../../sys/interface.js';
import { bytes4, bytes6, isIPv6, parse4, parse6 } from '../../wire/address.js';
import type { ServiceEntry } from '../api/api.js';
import { isFtp } from '../rules/ftp-ports.js';
import type { DeviceSetup, Order, Report, RunnerSetup } from './messages.js';
import type { SharedMemory } from './shared-memory.js';
import { SteeringKey } from './steering-key.js';
import { type Dataplane, type DataplaneSetup, startWorkers } from './worker-handle.js';

/** Numbers of fanout groups, one network namespace's, any process's: a random one is free. */
const GROUPS = 0x10000;

/** The setup of each worker, without what only several need. */
export function setupsFor(
  shared: SharedMemory,
  base: Pick<RunnerSetup, 'config' | 'devices' | 'live'>,
): DataplaneSetup[] {
  return shared.buffers.map((table, i) => ({
    ...base,
    table,
    connections: shared.connections,
    counters: shared.sum.buffers[i]!,
    deviceCounters: shared.deviceCounters[i]!.buffer,
  }));
}

export class WorkerPool {
  private readonly ownership = new SteeringKey();
  private readonly secret = [...crypto.getRandomValues(new Int32Array(3))];
  private fanout: Fanout | undefined;

  constructor(private readonly shared: SharedMemory) {}

  /** `maps`: of the exclusive devices. Rejects with an Error of one line. */
  start(
    setups: readonly DataplaneSetup[],
    maps: readonly InterceptMaps[],
    onReport: (report: Report) => void,
  ): Promise<Dataplane> {
    const count = setups.length;
    const { devices } = setups[0]!;
    if (devices.some(({ kind }) => kindOf(kind).workers === 'fanout')) this.fanout = new Fanout(count, this.secret);
    const bells = setups.map(() => new Bell());
    const crew = this.crewOf(count, devices, bells);
    const shares = devices.map((device) => ({ ...this.shareOf(device, maps), count }));
    const whole = setups.map((setup, index) => ({
      ...setup,
      devices: devices.map((device, i) => ({ ...device, share: { ...shares[i]!, index } })),
      gauges: setups[0]!.counters,
      crew: { ...crew, index },
    }));
    return startWorkers(whole, bells, onReport);
  }

  /** What the workers must be told when these are the services from now on. */
  update(services: readonly ServiceEntry[], ftp: readonly number[]): Order[] {
    this.fanout?.learn(services.flatMap((service) => sourcesOf(service, ftp)));
    const stages = this.ownership.update(services, ftp, this.shared.isLive);
    if (stages === undefined) return [];
    this.fanout?.rule(stages.at(-1)!);
    return [{ kind: 'owners', stages }];
  }

  close(): void {
    this.fanout?.close();
  }

  private crewOf(count: number, devices: readonly DeviceSetup[], bells: readonly Bell[]): Omit<WorkersSetup, 'index'> {
    const frameSize = frameSizeFor(devices.map(({ mtu }) => mtu));
    return {
      count,
      secret: this.secret,
      rings: Array.from({ length: count * count }, () => HandoffRing.memory(frameSize)),
      asleep: new SharedArrayBuffer(4 * count),
      bellFds: bells.map(({ fd }) => fd),
    };
  }

  private shareOf({ name, kind }: DeviceSetup, maps: readonly InterceptMaps[]) {
    if (kindOf(kind).workers === 'queues')
      return { xsks: maps.find(({ device }) => device === name)!.sockets(receiveQueues(name)) };
    return { group: randomInt(1, GROUPS), program: this.fanout!.program };
  }
}

/** Where replies of masq destinations come from; FTP's and those of marked services from any port. */
function sourcesOf({ key, destinations }: ServiceEntry, ftp: readonly number[]): FanoutSource[] {
  const masq = destinations.filter(({ method }) => method === 'masq');
  return masq.map(({ address, port }) => {
    const bytes = isIPv6(address) ? bytes6(parse6(address)!) : bytes4(parse4(address)!);
    if (isFwmark(key) || port === 0 || isFtp(key, ftp)) return { address: bytes, port: 0, protocol: 0 };
    return { address: bytes, port, protocol: key.protocol };
  });
}

/** What several workers of one director share, made before they start; one after the other they get their part of it. */
import { randomInt } from 'node:crypto';
import { ConnectionTable } from '../conntrack/table.js';
import type { CrewSetup } from '../dataplane/crew.js';
import { Handover } from '../dataplane/handover.js';
import type { Bell } from '../device/poll.js';
import { frameSizeFor } from '../device/umem-memory.js';
import type { TakeMaps } from '../device/xdp/take-maps.js';
import { CounterSum } from '../stats/sum.js';
import { receiveQueues } from '../sys/interface.js';
import type { DataplaneSetup } from './dataplane.js';
import { DeviceCounters } from './devicecounters.js';
import type { DeviceSetup, EngineSetup } from './orders.js';

/** Numbers of fanout groups, one network namespace's, any process's: a random one is free. */
const GROUPS = 0x10000;

/** The memory of `workers` workers that others read: connection tables, counters. */
export class Shared {
  readonly tables: readonly SharedArrayBuffer[];
  readonly sum: CounterSum;
  readonly deviceCounters: readonly DeviceCounters[];
  /** Lines of each table. */
  readonly connections: number;

  /** `connections`: of all together. */
  constructor(
    readonly workers: number,
    connections: number,
    devices: number,
  ) {
    const each = Array.from({ length: workers });
    this.connections = Math.ceil(connections / workers);
    this.tables = each.map(() => ConnectionTable.memory(this.connections));
    this.sum = new CounterSum(workers);
    this.deviceCounters = each.map(() => new DeviceCounters(DeviceCounters.memory(devices)));
  }
}

/** The setup of each worker, by number. `maps`: of the xdp devices; `bells`: one a worker. */
export function setupsFor(
  shared: Shared,
  base: Pick<EngineSetup, 'config' | 'devices' | 'live'>,
  maps: readonly TakeMaps[],
  bells: readonly Bell[],
): DataplaneSetup[] {
  const own = shared.tables.map((table, i) => ({
    ...base,
    table,
    connections: shared.connections,
    counters: shared.sum.buffers[i]!,
    deviceCounters: shared.deviceCounters[i]!.buffer,
  }));
  if (own.length === 1) return own;
  const crew = crewOf(own.length, base.devices, bells);
  const teams = base.devices.map((device) => ({ ...teamOf(device, maps), count: own.length }));
  return own.map((setup, index) => ({
    ...setup,
    devices: base.devices.map((device, i) => ({ ...device, team: { ...teams[i]!, index } })),
    gauges: shared.sum.buffers[0]!,
    crew: { ...crew, index },
  }));
}

function crewOf(count: number, devices: readonly DeviceSetup[], bells: readonly Bell[]): Omit<CrewSetup, 'index'> {
  const frameSize = frameSizeFor(devices.map(({ mtu }) => mtu));
  return {
    count,
    secret: [...crypto.getRandomValues(new Int32Array(3))],
    rings: Array.from({ length: count * count }, () => Handover.memory(frameSize)),
    asleep: new SharedArrayBuffer(4 * count),
    bellFds: bells.map(({ fd }) => fd),
  };
}

function teamOf({ name, kind }: DeviceSetup, maps: readonly TakeMaps[]) {
  if (kind !== 'xdp') return { group: randomInt(1, GROUPS) };
  return { xsks: maps.find(({ device }) => device === name)!.sockets(receiveQueues(name)) };
}

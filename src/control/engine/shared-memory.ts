/**
 * Memory of the workers that the control thread reads: connection tables and counters, one of each
 * per worker.
 */

import { LIVE_WORD } from '../../conntrack/entry.js';
import { ConnectionTable } from '../../conntrack/table.js';
import type { DeviceStats } from '../../device/device.js';
import { CounterSum } from '../../stats/sum.js';
import { DeviceCounters } from './device-counters.js';

/** The memory of all workers. */
export class SharedMemory {
  /** The connection tables. */
  readonly buffers: readonly SharedArrayBuffer[];
  /** The connection tables as words. */
  readonly tables: readonly Int32Array[];
  readonly sum: CounterSum;
  readonly deviceCounters: readonly DeviceCounters[];
  /** Number of lines in each table. */
  readonly connections: number;

  /** `connections`: number of lines in all tables together. `devices`: number of links. */
  constructor(
    readonly workers: number,
    connections: number,
    devices: number,
  ) {
    const each = Array.from({ length: workers });
    this.connections = Math.ceil(connections / workers);
    this.buffers = each.map(() => ConnectionTable.memory(this.connections));
    this.tables = this.buffers.map((buffer) => ConnectionTable.words(buffer));
    this.sum = new CounterSum(workers);
    this.deviceCounters = each.map(() => new DeviceCounters(DeviceCounters.memory(devices)));
  }

  /** There is a connection. */
  get hasConnections(): boolean {
    return this.tables.some((table) => table[LIVE_WORD] !== 0);
  }

  /** Counters of device `i`, summed over the workers. */
  statsOf(i: number): DeviceStats {
    const [stats, ...others] = this.deviceCounters.map((counters) => counters.read(i));
    for (const other of others)
      for (const column of Object.keys(other) as (keyof DeviceStats)[]) stats![column] += other[column];
    return stats!;
  }
}

/** The memory of the workers that others read, and that outlives their orders: connection tables and counters, one each a worker. */

import { LIVE_WORD } from '../../conntrack/entry.js';
import { ConnectionTable } from '../../conntrack/table.js';
import type { DeviceStats } from '../../device/device.js';
import { CounterSum } from '../../stats/sum.js';
import { DeviceCounters } from './device-counters.js';

export class SharedMemory {
  readonly buffers: readonly SharedArrayBuffer[];
  /** The same, as words. */
  readonly tables: readonly Int32Array[];
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
    this.buffers = each.map(() => ConnectionTable.memory(this.connections));
    this.tables = this.buffers.map((buffer) => ConnectionTable.words(buffer));
    this.sum = new CounterSum(workers);
    this.deviceCounters = each.map(() => new DeviceCounters(DeviceCounters.memory(devices)));
  }

  /** Whether there is any connection. */
  get isLive(): boolean {
    return this.tables.some((table) => table[LIVE_WORD] !== 0);
  }

  /** What all workers have counted at device `i`. */
  statsOf(i: number): DeviceStats {
    const [stats, ...others] = this.deviceCounters.map((counters) => counters.read(i));
    for (const other of others)
      for (const column of Object.keys(other) as (keyof DeviceStats)[]) stats![column] += other[column];
    return stats!;
  }
}

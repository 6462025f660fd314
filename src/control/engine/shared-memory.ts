/**
 * Memory of the workers that the control thread reads: connection tables and counters, one of each
 * per worker.
 */

import { ENTRY_WORDS, LIVE_WORD } from '../../conntrack/entry.js';
import { type TableMemory, tableMemory, wordsOf } from '../../conntrack/memory.js';
import type { DeviceStats } from '../../device/device.js';
import type { Block } from '../../stats/block.js';
import { type LoopReading, LoopStats } from '../../stats/loop-stats.js';
import { CounterSum } from '../../stats/sum.js';
import { DeviceCounters } from './device-counters.js';
import { type FrameCensus, FrameCounts } from './frame-census.js';

/** A part of a worker's memory, as pages of a file. */
export interface BackedPart extends Block {
  readonly at: number;
  readonly bytes: number;
}

/** The file of a worker's memory. Its last part has the counters. */
export interface Backed {
  readonly path: string;
  readonly parts: readonly BackedPart[];
}

/** Memory of one worker that outlives the process (control/state). */
export interface KeptMemory {
  readonly table: TableMemory;
  readonly counters: Block;
  /** Keys the hash of the table. */
  readonly secret: readonly number[];
  /** The table has connections of a former process. */
  readonly inherited: boolean;
  readonly backed: Backed;
}

/** Number of lines in the table of each worker. */
export function linesOfEach(connections: number, workers: number): number {
  return Math.ceil(connections / workers);
}

/** The memory of all workers. */
export class SharedMemory {
  /** The connection tables. */
  readonly memories: readonly TableMemory[];
  /** Words that key the hash of each table. A worker that is started anew needs the same. */
  readonly secrets: readonly (readonly number[])[];
  /** The connection tables as words. */
  readonly tables: readonly Int32Array[];
  readonly sum: CounterSum;
  readonly deviceCounters: readonly DeviceCounters[];
  /** Memory of FrameCounts, by worker. */
  readonly frameCounts: readonly SharedArrayBuffer[];
  /** Memory of LoopStats, by worker. */
  readonly loops: readonly SharedArrayBuffer[];
  /** The tables that have connections of a former process. */
  readonly inherited: readonly boolean[];
  /** Files of the memory; empty: it ends with the process. */
  readonly backed: readonly Backed[];
  /** Number of lines in each table. */
  readonly connections: number;

  /**
   * `connections`: number of lines in all tables together. `devices`: number of links. `kept`:
   * memory of each worker that outlives the process.
   */
  constructor(
    readonly workers: number,
    connections: number,
    devices: number,
    kept?: readonly KeptMemory[],
  ) {
    const each = Array.from({ length: workers });
    this.connections = linesOfEach(connections, workers);
    this.memories = kept?.map(({ table }) => table) ?? each.map(() => tableMemory(this.connections));
    this.secrets = kept?.map(({ secret }) => secret) ?? each.map(() => [...crypto.getRandomValues(new Int32Array(3))]);
    this.tables = this.memories.map(({ lines }) => wordsOf(lines, (this.connections + 1) * ENTRY_WORDS));
    this.backed = kept?.map(({ backed }) => backed) ?? [];
    this.inherited = each.map((_, i) => kept?.[i]?.inherited ?? false);
    this.sum = new CounterSum(
      workers,
      kept?.map(({ counters }) => counters),
    );
    this.frameCounts = each.map(() => FrameCounts.memory());
    this.loops = each.map(() => LoopStats.memory());
    this.deviceCounters = each.map(() => new DeviceCounters(DeviceCounters.memory(devices)));
  }

  /** There is a connection. */
  get hasConnections(): boolean {
    return this.tables.some((table) => table[LIVE_WORD] !== 0);
  }

  /** What the loop of worker `i` does with its time. */
  loopOf(i: number): LoopReading {
    return new LoopStats(this.loops[i]).read();
  }

  /** Where the frames of worker `i` are; at most 0.2 s old. */
  censusOf(i: number): FrameCensus {
    return new FrameCounts(this.frameCounts[i]!).read();
  }

  /** Counters of device `i`, summed over the workers. */
  statsOf(i: number): DeviceStats {
    const [stats, ...others] = this.deviceCounters.map((counters) => counters.read(i));
    for (const other of others)
      for (const column of Object.keys(other) as (keyof DeviceStats)[]) stats![column] += other[column];
    return stats!;
  }
}

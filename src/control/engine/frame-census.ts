/**
 * Where the frames of a worker are, in shared memory. The worker writes it between two turns;
 * readers never stop forwarding.
 *
 *     all = free + kernel + waiting            less: frames leak
 *     in  = forwarded + delivered + passed + dropped + waiting of them     else: `unaccounted`
 *
 *     Float64   all  free  kernel  waiting  unaccounted  heap  external
 */
import { getHeapStatistics } from 'node:v8';
import type { Director } from '../../dataplane/director.js';
import { FrameStat } from '../../stats/counters.js';

/** A reading. */
export interface FrameCensus {
  /** Frames of the worker's memory; those for reassembled datagrams are left out. */
  all: number;
  free: number;
  /** In rings of AF_XDP sockets, which the kernel reads and fills. */
  kernel: number;
  /** They wait for a neighbour or for other fragments. */
  waiting: number;
  /** Frames that came in, less those with a verdict and those that wait; 0. */
  unaccounted: number;
  /** Bytes of JavaScript objects of the worker's thread, and of memory outside that they own. */
  heap: number;
  external: number;
}

const COLUMNS = ['all', 'free', 'kernel', 'waiting', 'unaccounted', 'heap', 'external'] as const;
const VERDICTS = [FrameStat.forwarded, FrameStat.delivered, FrameStat.passed, FrameStat.dropped] as const;

/** The census of one worker. */
export class FrameCounts {
  private readonly values: Float64Array;
  /** What earlier threads on the same counters left without a verdict. */
  private before: number | undefined;

  constructor(memory: SharedArrayBuffer) {
    this.values = new Float64Array(memory);
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(COLUMNS.length * 8);
  }

  /** Call it between two turns. */
  write(director: Director): void {
    const { umem, neighbours, fragments } = director;
    const { heap, external } = memoryUsage();
    const received = fragments.held + receivedThatWait(director);
    this.before ??= withoutVerdict(director) - received;
    this.values.set([
      umem.usableFrames + umem.large.count,
      umem.freeFrames + umem.large.freeFrames,
      umem.heldFrames,
      fragments.held + neighbours.waiting,
      withoutVerdict(director) - received - this.before,
      heap,
      external,
    ]);
  }

  read(): FrameCensus {
    return Object.fromEntries(COLUMNS.map((name, i) => [name, this.values[i]])) as unknown as FrameCensus;
  }
}

function memoryUsage(): { heap: number; external: number } {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return { heap, external };
}

function withoutVerdict({ counters: { values } }: Director): number {
  return VERDICTS.reduce((left, verdict) => left - values[verdict]!, values[FrameStat.in]!);
}

function receivedThatWait({ neighbours }: Director): number {
  if (neighbours.waiting === 0) return 0;
  let waiting = 0;
  for (const one of neighbours.all) for (const { originated } of one.waiting) if (!originated) waiting++;
  return waiting;
}

/** One sample of a soak: what the director holds, and what its clients see. */
import type { DirectorStatus } from '../../control/api/api.js';
import type { Report, Times } from '../outage/measure.js';

/**
 * Memory in bytes, times in ms; `at` in s since the load began. Counts of traffic are those since
 * the sample before.
 */
export interface Sample {
  readonly at: number;
  readonly rss: number;
  /** Of the control thread and all workers. */
  readonly heap: number;
  readonly external: number;
  readonly descriptors: number;
  /** Of all workers; `missing`: neither free nor known to be used. */
  readonly frames: { readonly inUse: number; readonly waiting: number; readonly missing: number };
  /** Frames that came in and are in no sum. */
  readonly unaccounted: number;
  readonly connections: number;
  readonly echo: Times;
  readonly opening: Times;
  readonly sent: number;
  readonly echoed: number;
  readonly opened: number;
  readonly refused: number;
  /** Since the load began. */
  readonly downloads: number;
  readonly lost: number;
  readonly wrong: number;
  /** Frames that the devices had no room for, since the start. */
  readonly rxDropped: number;
}

export function sampleOf(at: number, status: DirectorStatus, descriptors: number, reports: readonly Report[]): Sample {
  const sum = (of: (report: Report) => number) => reports.reduce((total, report) => total + of(report), 0);
  const worst = (of: (report: Report) => Times): Times => ({
    p50: Math.max(0, ...reports.map((report) => of(report).p50)),
    p99: Math.max(0, ...reports.map((report) => of(report).p99)),
  });
  const censuses = status.workers.flatMap(({ census }) => census ?? []);
  const all = (of: (census: (typeof censuses)[number]) => number) => censuses.reduce((n, one) => n + of(one), 0);
  return {
    at: Math.round(at),
    rss: status.memory,
    heap: status.heap.used + all(({ heap }) => heap),
    external: status.heap.external + all(({ external }) => external),
    descriptors,
    frames: {
      inUse: all(({ all: frames, free }) => frames - free),
      waiting: all(({ waiting }) => waiting),
      missing: all(({ all: frames, free, kernel, waiting }) => frames - free - kernel - waiting),
    },
    unaccounted: all(({ unaccounted }) => unaccounted),
    connections: status.table.used,
    echo: worst(({ echo }) => echo),
    opening: worst(({ opening }) => opening),
    sent: sum(({ sent }) => sent),
    echoed: sum(({ echoed }) => echoed),
    opened: sum(({ opened }) => opened),
    refused: sum(({ refused }) => refused),
    downloads: sum(({ open }) => open),
    lost: sum(({ lost }) => lost),
    wrong: sum(({ wrong }) => wrong),
    rxDropped: status.devices.reduce((n, { stats }) => n + stats.rxDropped, 0),
  };
}

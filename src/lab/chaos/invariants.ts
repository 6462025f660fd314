/**
 * What must hold in spite of every fault. Each function returns a sentence for each thing that does
 * not.
 */
import type { DirectorStatus } from '../../control/api/api.js';
import type { Report } from '../outage/measure.js';

/** At any time: where the frames are, and their sums. */
export function brokenSums({ workers }: Pick<DirectorStatus, 'workers'>): string[] {
  return workers.flatMap(({ census }, i) => {
    if (census === undefined) return [];
    const { all, free, kernel, waiting, unaccounted } = census;
    const missing = all - free - kernel - waiting;
    return [
      ...(missing === 0 ? [] : [`worker ${i}: ${missing} frames are neither free nor in use`]),
      ...(unaccounted === 0 ? [] : [`worker ${i}: ${unaccounted} frames came in and have no verdict`]),
    ];
  });
}

/** At any time: `healthy` are the connections to the realserver that no fault touches. */
export function brokenConnections(healthy: Report, others: Report): string[] {
  const wrong = healthy.wrong + others.wrong;
  return [
    ...(wrong === 0 ? [] : [`${wrong} wrong bytes were delivered`]),
    ...(healthy.lost === 0 ? [] : [`${healthy.lost} connections to the healthy realserver were lost`]),
  ];
}

/** After the last fault: everything goes on. `since`: ms from then on. */
export function stillBroken(since: number, reports: readonly Report[]): string[] {
  return reports.flatMap(({ name, silence, echoed, opened }) => [
    ...(silence < since ? [] : [`by ${name} a download stands still for ${Math.round(silence)} ms`]),
    ...(echoed > 0 ? [] : [`by ${name} no datagram comes back`]),
    ...(opened > 0 ? [] : [`by ${name} no new connection succeeds`]),
  ]);
}

/** After the end of the load: nothing is kept. */
export function keptAfter(
  status: DirectorStatus,
  descriptors: { readonly before: number; readonly after: number },
): string[] {
  const waiting = status.workers.reduce((sum, { census }) => sum + (census?.waiting ?? 0), 0);
  const { before, after } = descriptors;
  const reasons = status.drops.reduce((sum, { packets }) => sum + packets, 0);
  const dropped = status.frames.dropped ?? 0;
  return [
    ...brokenSums(status),
    ...(reasons === dropped ? [] : [`${reasons} frames dropped by reasons, ${dropped} in all`]),
    ...(waiting === 0 ? [] : [`${waiting} frames wait without traffic`]),
    ...(after <= before ? [] : [`descriptors: ${before} before, ${after} after`]),
  ];
}

/** Words of the log that no fault here may cause. */
const TROUBLE = /"level":"(?:error|fatal)"|unhandled|uncaught|worker \d+ (?:died|is started anew)/i;

/** The fault `descriptors` makes a reload impossible, and the log has to say so. */
const TOLD = /"msg":"not reloaded: [^"]*EMFILE/;

export function troubleIn(log: string): string[] {
  return log.split('\n').filter((line) => TROUBLE.test(line) && !TOLD.test(line));
}

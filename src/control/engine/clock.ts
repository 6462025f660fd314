/**
 * The clock of a dataplane: CLOCK_MONOTONIC in ms. It counts from the boot of the machine, so that
 * the timers of connections go on in a new process. performance.now() counts from the process's own
 * start; both advance alike.
 */

/**
 * What to add to a time of this clock, to get the wall clock's, in ms. It changes when that is set.
 */
export function wallOrigin(): number {
  return Date.now() - Number(process.hrtime.bigint()) / 1e6;
}

/** What to add to performance.now() of this thread, in ms. */
export function clockOrigin(): number {
  return Number(process.hrtime.bigint()) / 1e6 - performance.now();
}

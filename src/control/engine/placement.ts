/**
 * CPUs and priority of the workers (workerCpus, workerPriority). The control thread places the
 * others when it starts, each worker places itself before its first turn:
 *
 *     CPUs that the process may use     0    1    2    3
 *     workerCpus: [2, 3]                |    |    |    └ worker 1
 *                                       |    |    └ worker 0
 *                     control thread, V8's own threads, monitor, health checks
 *
 * V8 compiles and collects garbage in threads of its own. Where such a thread has a worker's CPU,
 * the worker waits for it up to a tick of the scheduler, 1 to 10 ms. A lower niceness of the worker
 * makes that rarer, real-time priority ends it. Once the director is up, V8's threads have a higher
 * niceness than the control thread, too. While that loads many rules, four of them compile: with
 * equal niceness they left it a third of a CPU. Workers wait for them when they collect garbage, so
 * that both go before other threads for as long as rules come (Urgency, worker-handle.ts).
 */
import { availableParallelism } from 'node:os';
import { allowedCpus, leaveCpus, runOn } from '../../sys/affinity.js';
import { goBefore, mayGoFirst, otherThreads, putBehind } from '../../sys/priority.js';
import { WAKE_LATENCY, WakeLatency } from '../../sys/wake-latency.js';
import type { Config } from '../config/config.js';

/** The part of the configuration that says it. */
export type Placement = Pick<Config, 'workerCpus' | 'workerPriority'>;

/**
 * Moves the threads of this process off the workers' CPUs, before workers start. Returns warnings,
 * one line each, about what is not possible here.
 */
export function placeOthers({ workerCpus, workerPriority }: Placement): string[] {
  const warnings = missingCpus(workerCpus);
  if (workerCpus.length > warnings.length && !leaveCpus(workerCpus))
    warnings.push('workerCpus: the director has no other CPU, so its other threads run on those of the workers');
  if (workerPriority === 'realtime' && !mayGoFirst())
    warnings.push(
      'workerPriority: realtime is not allowed here: it needs CAP_SYS_NICE or LimitRTPRIO=2, and no RestrictRealtime; the workers have the usual priority',
    );
  else if (workerPriority === 'realtime') warnings.push(...sleepWarnings());
  return warnings;
}

/** A warning, one line, for each CPU that this process may not use. */
export function missingCpus(workerCpus: readonly number[]): string[] {
  const allowed = workerCpus.length > 0 ? allowedCpus() : [];
  return workerCpus
    .filter((cpu) => !allowed.includes(cpu))
    .map(
      (cpu) =>
        `workerCpus: the director may not use CPU ${cpu}; it may use ${allowed.join(' ')}: its worker is not placed`,
    );
}

function sleepWarnings(): string[] {
  const request = WakeLatency.open();
  if (typeof request === 'string')
    return [
      `workerPriority: ${WAKE_LATENCY} cannot be written (${request}): CPUs that are idle for a moment sleep, and packets wait until they have woken up`,
    ];
  request.close();
  return [];
}

let v8Threads: readonly number[] | undefined;

/**
 * V8's own threads: Node.js starts them before any other. Call it before workers start: they are no
 * part of the list.
 */
export function compilers(): readonly number[] {
  v8Threads ??= otherThreads();
  return v8Threads;
}

/** V8's own threads give way to all others, from now on. */
export function putCompilersBehind(): void {
  putBehind(compilers());
}

/**
 * Places the calling thread, worker `index`, and puts it before the other threads of the process
 * where that is allowed. Returns true where it shall and may have real-time priority (rest.ts).
 */
export function placeWorker({ workerCpus, workerPriority }: Placement, index: number): boolean {
  const cpu = workerCpus[index];
  if (cpu !== undefined) runOn(cpu);
  goBefore();
  return workerPriority === 'realtime' && mayGoFirst();
}

/**
 * The warning, one line, that there are more workers than processors: each worker polls and needs
 * one of its own. Undefined: all have one.
 */
export function tooManyWorkers(workers: number, processors = availableParallelism()): string | undefined {
  if (workers <= processors) return undefined;
  const there = `${processors} processor${processors === 1 ? '' : 's'}`;
  return `workers: ${workers}, but this machine has ${there}: workers that share one are slower; try 'workers: ${processors}'`;
}

/** Whether there are more workers than processors. Each worker polls and needs one of its own. */
import { availableParallelism } from 'node:os';

/** The warning, one line; undefined when all workers have a processor. */
export function tooManyWorkers(workers: number, processors = availableParallelism()): string | undefined {
  if (workers <= processors) return undefined;
  const there = `${processors} processor${processors === 1 ? '' : 's'}`;
  return `workers: ${workers}, but this machine has ${there}: workers that share one are slower; try 'workers: ${processors}'`;
}

/** What happens when stdout cannot be written: a closed pipe ends quietly, a full disk does not. */

/** `ulvs: standard output: no space left on device`; undefined: the reader is gone, as with `| head`. */
export function outputProblem({ code, message }: NodeJS.ErrnoException): string | undefined {
  if (code === 'EPIPE') return undefined;
  const why = code === 'ENOSPC' ? 'no space left on device' : message;
  return `standard output: ${why}`;
}

/**
 * From now on a failed write ends the program: with code 0 when the reader is gone, else with one
 * line and code 1. A command that has an error listener of its own cleans up and ends itself.
 */
export function guardOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const problem = outputProblem(error);
    if (process.stdout.listenerCount('error') > 1) return;
    if (problem !== undefined) console.error(`ulvs: ${problem}`);
    process.exit(problem === undefined ? 0 : 1);
  });
}

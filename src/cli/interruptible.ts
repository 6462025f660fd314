/** Interruption: a signal, or a closed output, aborts a command, which then cleans up. */
const ENDS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `work` with a signal that aborts at SIGINT, SIGTERM, SIGHUP, or when stdout is closed. An
 * aborted command fails with `failure(reason)`, whatever error its interrupted step threw.
 */
export async function interruptible(
  failure: (reason: string) => Error,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const abort = new AbortController();
  const because = (reason: string) => () => abort.abort(failure(`${reason}; everything is taken down again`));
  const stop = because('interrupted');
  for (const signal of ENDS) process.on(signal, stop);
  process.stdout.on('error', because('the output was closed')); // `make demo | head`
  try {
    await work(abort.signal);
  } catch (error) {
    throw abort.signal.aborted ? abort.signal.reason : error;
  } finally {
    for (const signal of ENDS) process.off(signal, stop);
  }
}

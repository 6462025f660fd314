const ENDS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Ctrl-C, SIGTERM, SIGHUP and a reader who has gone abort the work, which then cleans up. It fails by what `failure` makes of the
 * reason: an interrupted step fails in its own words, but what matters is that it was interrupted.
 */
export async function interruptible(
  failure: (reason: string) => Error,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const abort = new AbortController();
  const because = (reason: string) => () => abort.abort(failure(`${reason}; everything is taken down again`));
  const stop = because('interrupted');
  for (const signal of ENDS) process.on(signal, stop);
  process.stdout.on('error', because('nobody reads the output any more')); // `make demo | head`
  try {
    await work(abort.signal);
  } catch (error) {
    throw abort.signal.aborted ? abort.signal.reason : error;
  } finally {
    for (const signal of ENDS) process.off(signal, stop);
  }
}

/** Ctrl-C and SIGTERM end a question, which removes its networks first. A second one kills it. */
export function interruption(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort(new Error('interrupted')));
  return abort.signal;
}

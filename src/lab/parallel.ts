/** Bounded parallelism: many tasks, a limited number at a time. */
/**
 * Runs `work` on each element of the list, `width` of them at a time, in order. The results have
 * the order of the list. When `signal` aborts, no further task starts; its reason is thrown as soon
 * as the running tasks have ended.
 */
export async function inParallel<T, R>(
  list: readonly T[],
  width: number,
  work: (one: T) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const runner = async () => {
    for (let i = next++; i < list.length && !signal?.aborted; i = next++) results[i] = await work(list[i]!);
  };
  await Promise.all(Array.from({ length: Math.min(width, list.length) }, runner));
  signal?.throwIfAborted();
  return results;
}

/**
 * Does `work` on each of the list, `width` of them at a time, begun in order; the results are in that order. When `signal` aborts
 * no more is begun, and once the others have ended its reason is thrown.
 */
export async function abreast<T, R>(
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

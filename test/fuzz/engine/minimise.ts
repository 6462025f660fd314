/** Finds the few inputs, and the few bytes of them, that a failure needs (delta debugging). */
import type { Target } from './target.js';

/** The message of the failure of `inputs` in a fresh session; undefined: they pass. */
export async function failureOf(
  target: Target,
  epoch: number,
  inputs: readonly Uint8Array[],
): Promise<string | undefined> {
  try {
    const session = await target.begin(epoch);
    for (const input of inputs) {
      const running = session.run(input);
      if (running !== undefined) await running;
    }
    session.check?.();
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** A subset of `inputs` that still fails. Each removal that keeps the failure is kept. */
export async function minimise(target: Target, epoch: number, inputs: readonly Uint8Array[]): Promise<Uint8Array[]> {
  let left = [...inputs];
  for (let size = left.length >>> 1; size >= 1; size >>>= 1)
    for (let at = 0; at < left.length; ) {
      const without = [...left.slice(0, at), ...left.slice(at + size)];
      if (without.length > 0 && (await failureOf(target, epoch, without)) !== undefined) left = without;
      else at += size;
    }
  return left;
}

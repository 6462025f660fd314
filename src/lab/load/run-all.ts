/** What the client's jobs share: bounded parallelism, failures as lines, output. */

import { endpoint } from '../../service/config.js';
import type { Answer, Line, Result, Target } from './job.js';

export function printLine(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

export function endpointOf({ address, port }: Target): string {
  return endpoint(address, port);
}

/**
 * After this many failures without an answer the job stops: the rest would only time out as well.
 */
const HOPELESS = 16;

/**
 * Runs `one` for 0 to count - 1, at most `concurrency` at a time. Failures become errors of the
 * result.
 */
export async function runAll(
  count: number,
  concurrency: number,
  one: (i: number) => Promise<Answer[]>,
): Promise<Result> {
  const result: Result = { answers: [], errors: [], ms: 0 };
  const began = performance.now();
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < count && (result.answers.length > 0 || result.errors.length < HOPELESS)) {
      const i = next++;
      await one(i).then(
        (answers) => result.answers.push(...answers),
        (error: Error) => result.errors.push(`#${i}: ${error.message}`),
      );
      if (++done % 10 === 0) printLine({ progress: [done, count] });
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker));
  result.ms = performance.now() - began;
  return result;
}

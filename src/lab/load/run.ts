/** What the client's jobs share: many at a time, their failures as lines, and the output. */

import { endpoint } from '../../service/config.js';
import type { Answer, Line, Result, Target } from './job.js';

export function say(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

export function textOf({ address, port }: Target): string {
  return endpoint(address, port);
}

/** So many failures, and not one answer: the rest would only take its time to fail as well. */
const HOPELESS = 16;

/** Runs `one` for 0..count-1, at most `concurrency` at a time; failures become errors of the result. */
export async function each(count: number, concurrency: number, one: (i: number) => Promise<Answer[]>): Promise<Result> {
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
      if (++done % 10 === 0) say({ progress: [done, count] });
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker));
  result.ms = performance.now() - began;
  return result;
}

/**
 * The load program: `node load.js JOB`, JOB as JSON (job.ts). Prints lines of JSON: progress, then
 * the result.
 */

import { echo } from './echo.js';
import { held } from './held.js';
import { download, requests, simultaneous } from './http.js';
import type { Job, Result } from './job.js';
import { outlive } from './outlive.js';
import { printLine } from './run-all.js';

async function run(job: Job): Promise<Result> {
  if (job.kind === 'download') return download(job);
  if (job.kind === 'held') return held(job);
  if (job.kind === 'echo') return echo(job);
  if (job.kind === 'outlive') return outlive(job);
  if (job.kind === 'simultaneous') return simultaneous(job);
  return requests(job);
}

async function main(text = ''): Promise<void> {
  printLine({ result: await run(JSON.parse(text) as Job) });
}

main(process.argv[2]).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});

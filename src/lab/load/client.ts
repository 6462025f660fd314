/** Runs the load program in the namespace of a client and returns its result. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { LabError } from '../error.js';
import { namespaceOf, program } from '../names.js';
import type { Job, Line, Result } from './job.js';

export type Progress = (done: number, total: number) => void;

/**
 * Throws a LabError if the program itself fails. Failed requests are in the result's errors. `end`
 * tells the program to end and print its result; `signal` ends it without.
 */
export async function load(
  id: string,
  host: string,
  job: Job,
  progress: Progress,
  signal?: AbortSignal,
  end?: AbortSignal,
): Promise<Result> {
  const words = [
    'netns',
    'exec',
    namespaceOf(id, host),
    process.execPath,
    program('lab/load/load.js'),
    JSON.stringify(job),
  ];
  const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const kill = () => child.kill();
  signal?.addEventListener('abort', kill);
  end?.addEventListener('abort', kill);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  let result: Result | undefined;
  for await (const text of createInterface(child.stdout)) {
    const line = JSON.parse(text) as Line;
    if ('result' in line) result = line.result;
    else progress(...line.progress);
  }
  await ended;
  signal?.removeEventListener('abort', kill);
  signal?.throwIfAborted();
  const how = [stderr.trim(), `exit ${child.exitCode ?? child.signalCode}`].filter(Boolean).join(', ');
  if (!result) throw new LabError(`the client's load program failed: ${how}`);
  return result;
}

/**
 * Holds connections open while `work` runs; the result tells which of them broke. `work` begins
 * when all are open.
 */
export async function holding(
  id: string,
  host: string,
  job: Extract<Job, { kind: 'held' }>,
  work: () => Promise<void>,
): Promise<Result> {
  const end = new AbortController();
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const progress = (done: number) => {
    if (done >= job.count) open();
  };
  const result = load(id, host, job, progress, undefined, end.signal);
  try {
    await Promise.race([opened, result]);
    await work();
  } finally {
    end.abort();
  }
  return result;
}

/** The number of answers from each realserver: rs1 -> 100. */
export function spread(result: Result): Map<string, number> {
  const count = new Map<string, number>();
  for (const { name } of result.answers) count.set(name, (count.get(name) ?? 0) + 1);
  return new Map([...count].sort(([a], [b]) => a.localeCompare(b)));
}

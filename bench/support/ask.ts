/** Runs one question in its own process, if this machine can run it, and reports the outcome. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Question } from './questions.js';

export interface Outcome {
  readonly question: Question;
  readonly state: 'ran' | 'skipped' | 'failed';
  readonly seconds: number;
  /** Why it was skipped or failed; '' when it ran. */
  readonly reason: string;
}

const FOLDER = join(import.meta.dirname, '../questions');
/** Time limit of one question. The longest question takes a quarter of an hour. */
const LIMIT_S = 5400;
/** Time for a question to remove its networks after SIGTERM. */
const PATIENCE_MS = 30_000;
/** Folders of system programs. The PATH of an unprivileged user lacks them. */
const SYSTEM = ['/usr/sbin', '/sbin'];

export async function ask(question: Question, words: readonly string[]): Promise<Outcome> {
  const reason = obstacle(question);
  if (reason !== undefined) {
    console.error(`skipped: ${question.name}: ${reason}`);
    return { question, state: 'skipped', seconds: 0, reason };
  }
  const start = performance.now();
  const failure = await run([...privileged(question), process.execPath, '--expose-gc', fileOf(question), ...words]);
  const seconds = (performance.now() - start) / 1000;
  if (failure !== '') console.error(`bench: ${question.name} failed: ${failure}`);
  return { question, state: failure === '' ? 'ran' : 'failed', seconds, reason: failure };
}

function fileOf({ name }: Question): string {
  return join(FOLDER, `${name}.js`);
}

function obstacle({ root, programs = [] }: Question): string | undefined {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length > 0)
    return `${missing.join(', ')} not installed (scripts/setup.sh bench installs what is missing)`;
  if (root && !isRoot() && !canSudo()) return 'needs root for network namespaces, and sudo does not give it';
  return undefined;
}

function isInstalled(program: string): boolean {
  return [...(process.env.PATH ?? '').split(':'), ...SYSTEM].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Asks for a password when stdin is a terminal. */
function canSudo(): boolean {
  const words = process.stdin.isTTY ? ['-v'] : ['-n', 'true'];
  return spawnSync('sudo', words, { stdio: 'inherit' }).status === 0;
}

function privileged({ root }: Question): string[] {
  return root && !isRoot() ? ['sudo', 'env', `PATH=${process.env.PATH ?? ''}`] : [];
}

/**
 * Returns '' when the program exits with 0, otherwise the reason. The program shares our stdout and
 * stderr.
 */
async function run([program, ...words]: readonly string[]): Promise<string> {
  const child = spawn(program!, words, { stdio: 'inherit' });
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS).unref();
  }, LIMIT_S * 1000);
  const forward = () => child.kill('SIGTERM');
  process.on('SIGTERM', forward);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (late) return `took longer than ${LIMIT_S / 60} minutes`;
    if (code === 0) return '';
    return signal === null ? `exit code ${code} (its output is above)` : `ended by ${signal}`;
  } catch (error) {
    return (error as Error).message;
  } finally {
    process.off('SIGTERM', forward);
    clearTimeout(limit);
  }
}

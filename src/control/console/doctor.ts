/**
 * The doctor for the console: `ulvs doctor` as a process of its own, since it takes seconds and
 * enters other namespaces.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Finding } from '../../doctor/facts.js';

const TIMEOUT_MS = 60_000;
const PROGRAM = 'cli/main.js';
/** src/control/console and dist/control/console are both three levels below the root. */
const ULVS = fileURLToPath(new URL(`../../../dist/${PROGRAM}`, import.meta.url));

/**
 * Runs the doctor with these words, such as `--lab dr`. Rejects with an Error of one line. Its exit
 * code is 1 when it has found something, and when it has failed; then it prints no JSON.
 */
export function runDoctor(words: readonly string[]): Promise<readonly Finding[]> {
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: 2 ** 24 };
    execFile(process.execPath, [ULVS, 'doctor', '--json', ...words], options, (error, stdout, stderr) => {
      if (stdout.startsWith('[')) resolve(JSON.parse(stdout) as Finding[]);
      else reject(new Error(stderr.trim().split('\n').at(-1) || error?.message || 'the doctor said nothing'));
    });
  });
}

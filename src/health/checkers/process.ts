/**
 * script and icmp: a program is run for each check. A script gets the destination in its
 * environment: ULVS_ADDRESS and ULVS_PORT (to connect to), ULVS_DESTINATION (its name). Exit codes
 * are those of keepalived's MISC_CHECK:
 *
 *     0          good
 *     1          bad
 *     2 to 255   good, and the weight is the code less 2
 */
import { spawn } from 'node:child_process';
import { bad, type Checker, good, type Place } from './checker.js';

export const script: Checker = {
  good: 'the program `command` ends with 0, or with 2 to 255: then its weight is that less 2',
  options: ['command'],
  run: async (place, { command }, signal) => {
    const { code, text } = await run(command, place, signal);
    if (code === 0) return good(text || 'exit code 0');
    if (code === null || code === 1) return bad(text || 'exit code 1');
    return { ok: true, text: text || `exit code ${code}`, weight: code - 2 };
  },
};

export const icmp: Checker = {
  good: 'the server answers a ping',
  options: [],
  run: async (place, { connectTimeout }, signal) => {
    const wait = String(Math.max(1, Math.ceil(connectTimeout / 1000)));
    const { code, text } = await run(['ping', '-n', '-q', '-c', '1', '-W', wait, place.address], place, signal);
    return code === 0 ? good('answered') : bad(code === 1 ? 'no answer' : text);
  },
};

/** The output of a program that has ended is read for this time. */
const LAST_WORDS_MS = 50;

interface Ended {
  /** null: a signal ended it. */
  readonly code: number | null;
  /** First line that it wrote. */
  readonly text: string;
}

/** Runs a program. The end of `signal` kills it and its children. */
function run(command: readonly string[], { address, port, name }: Place, signal: AbortSignal): Promise<Ended> {
  const [program, ...args] = command;
  const env = { ...process.env, ULVS_ADDRESS: address, ULVS_PORT: String(port), ULVS_DESTINATION: name };
  return new Promise((resolve, reject) => {
    // A group of its own, so that children of a script end with it.
    const child = spawn(program!, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let said = '';
    let over = false;
    const note = (chunk: Buffer) => {
      if (said.length < 1000) said += chunk.toString('utf8');
    };
    child.stdout.on('data', note);
    child.stderr.on('data', note);
    child.once('error', reject);
    const end = (code: number | null) => {
      over = true;
      resolve({ code, text: said.trim().split('\n')[0]!.slice(0, 200) });
      // What the program has left behind may hold its output open.
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
    };
    child.once('close', end);
    child.once('exit', (code) => setTimeout(end, LAST_WORDS_MS, code));
    signal.addEventListener('abort', () => over || kill(child.pid), { once: true });
  });
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

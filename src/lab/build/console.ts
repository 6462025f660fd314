/** The console of a lab: a process beside the lab, where the user's browser reaches it. */
import { readFileSync } from 'node:fs';
import { directoryOf, program } from '../names.js';
import { type Lab, track } from './lab.js';
import { start, untilReady } from './process.js';

const READY = /^the console is at .*$/m;

/**
 * Starts the console of a lab; it ends with the lab. Resolves with its line about address and
 * token. Throws a LabError, when the address is in use for example.
 */
export async function startConsole(lab: Lab, listen: string): Promise<string> {
  const log = `${directoryOf(lab.id)}/console.log`;
  const words = [process.execPath, program('cli/main.js'), 'console', '--lab', lab.id, '--listen', listen];
  const running = track(lab, start('the console', undefined, log, words));
  await untilReady(running, () => READY.test(readFileSync(log, 'utf8')));
  return READY.exec(readFileSync(log, 'utf8'))?.[0] ?? '';
}

/**
 * Loaded by Node.js before a director (`node --import`): the signal SIGPWR ends one of its worker
 * threads, as an error that nobody catches would.
 */
import { syncBuiltinESMExports } from 'node:module';
import threads, { type Worker } from 'node:worker_threads';

/** The file of a dataplane's thread (control/engine/worker-handle.ts). */
const DATAPLANE = /\/engine\/worker\.js$/;

const started: Worker[] = [];

class Ending extends threads.Worker {
  constructor(...words: ConstructorParameters<typeof Worker>) {
    super(...words);
    if (DATAPLANE.test(`${words[0]}`)) started.push(this);
  }
}

Object.assign(threads, { Worker: Ending });
// Modules import it by its name.
syncBuiltinESMExports();
process.on('SIGPWR', () => void started.at(-1)?.terminate());

/** The console of a lab: a process beside the lab, where the user's browser reaches it. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { LabError } from '../error.js';
import { directoryOf, program } from '../names.js';
import { type Lab, track } from './lab.js';
import { start, untilReady } from './process.js';

const READY = /^the console is at .*$/m;

/**
 * Throws a LabError when another program listens at this address: call it before the lab is built.
 */
export async function refuseUsedAddress(listen: string): Promise<void> {
  const at = listen.lastIndexOf(':');
  if (at < 0) return;
  const port = Number(listen.slice(at + 1));
  const server = createServer().listen(port, listen.slice(0, at).replace(/^\[|\]$/g, ''));
  const problem = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    server.once('error', resolve).once('listening', () => resolve(undefined));
  });
  server.close();
  if (problem?.code === 'EADDRINUSE')
    throw new LabError(
      `--console ${listen}: another program listens there; name another port: --console 127.0.0.1:${port + 1}`,
    );
}

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

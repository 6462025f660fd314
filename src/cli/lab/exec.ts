/**
 * `ulvs lab exec LAB HOST COMMAND…`: runs a command on a host of a lab, in its namespace.
 *
 *     ulvs lab exec nat client -- curl -s http://10.0.0.100/
 *                    │      └──► ip netns exec ulvs-nat-1a2b-client curl …       ULVS_SOCKET: that of the lab
 */
import { spawn } from 'node:child_process';
import os from 'node:os';
import { Command } from 'commander';
import { socketPath } from '../../lab/build/config.js';
import { namespaceOf } from '../../lab/names.js';
import { findLab } from '../find-lab.js';
import { guarded, UserError } from '../guard.js';

/** As a shell gives it. */
const AFTER_SIGNAL = 128;

export function labExecCommand(): Command {
  return new Command('exec')
    .description('run a command on a host of a lab that is up; without a command, a shell')
    .argument('<lab>', 'the id of a lab, or a topology')
    .argument('<host>', 'a host of the lab: client, director, rs1 ...')
    .argument('[words...]', 'the command and its arguments')
    .passThroughOptions()
    .action((name: string, host: string, words: string[]) => guarded(() => exec(name, host, words)));
}

async function exec(name: string, host: string, words: readonly string[]): Promise<void> {
  const { id, spec } = findLab(name);
  const hosts = spec.hosts.map((one) => one.name);
  if (!hosts.includes(host)) throw new UserError(`lab ${id} has no host ${host}; it has ${hosts.join(', ')}`);
  const given = words[0] === '--' ? words.slice(1) : words;
  const command = given.length > 0 ? given : [process.env.SHELL || 'sh'];
  process.exitCode = await run(['netns', 'exec', namespaceOf(id, host), ...command], socketPath(id));
}

/** Passes SIGTERM and SIGHUP on. A terminal sends SIGINT to both. Resolves with the exit code. */
function run(words: readonly string[], socket: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('ip', words, { stdio: 'inherit', env: { ...process.env, ULVS_SOCKET: socket } });
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
    process.on('SIGINT', () => {});
    child.on('error', (error) => reject(new UserError(`cannot start ip: ${error.message}`)));
    child.on('exit', (code, signal) => resolve(code ?? AFTER_SIGNAL + os.constants.signals[signal!]));
  });
}

/**
 * Makes the command `ulvs` with the subcommands that a line needs. All of them are a thousand
 * modules, and loading them takes longer than most commands run.
 *
 *   ulvs status --json ──► commands/status.js
 *   ulvs --version ──► none
 *   ulvs --help, ulvs completion, a word that is none ──► all
 */
import type { Command } from 'commander';
import { newProgram } from './new-program.js';

type Load = (version: string) => Promise<Command>;

/** In the order of `ulvs --help`. */
const LOADERS: ReadonlyMap<string, Load> = new Map<string, Load>([
  ['run', async (version) => (await import('./commands/run.js')).runCommand(version)],
  ['check', async () => (await import('./commands/check.js')).checkCommand()],
  ['reload', async () => (await import('./commands/reload.js')).reloadCommand()],
  ['apply', async () => (await import('./commands/apply.js')).applyCommand()],
  ['diff', async () => (await import('./commands/apply.js')).diffCommand()],
  ['dump', async () => (await import('./commands/dump.js')).dumpCommand()],
  ['replay', async () => (await import('./commands/replay.js')).replayCommand()],
  ['status', async () => (await import('./commands/status.js')).statusCommand()],
  ['stats', async () => (await import('./commands/stats.js')).statsCommand()],
  ['health', async () => (await import('./commands/health.js')).healthCommand()],
  ['top', async () => (await import('./commands/top.js')).topCommand()],
  ['drain', async () => (await import('./commands/drain.js')).drainCommand()],
  ['undrain', async () => (await import('./commands/drain.js')).undrainCommand()],
  ['sysctl', async () => (await import('./commands/sysctl.js')).sysctlCommand()],
  ['sync', async () => (await import('./commands/sync.js')).syncCommand()],
  ['proc', async () => (await import('./commands/proc.js')).procCommand()],
  ['trace', async () => (await import('./commands/trace.js')).traceCommand()],
  ['exec', async () => (await import('./commands/exec.js')).execCommandLine()],
  ['configure', async () => (await import('./commands/configure.js')).configureCommand()],
  ['console', async () => (await import('./commands/console.js')).consoleCommand()],
  ['doctor', async () => (await import('./commands/doctor.js')).doctorCommand()],
  ['decapsulate', async () => (await import('./commands/decapsulate.js')).decapsulateCommand()],
  ['fleet', async () => (await import('./commands/fleet.js')).fleetCommand()],
  ['lab', async () => (await import('./commands/lab.js')).labCommand()],
  ['bench', async () => (await import('./commands/bench.js')).benchCommand()],
  ['completion', async () => (await import('./commands/completion.js')).completionCommand()],
]);

/** The options that need no command. */
const VERSION = ['-V', '--version'];

/** `version`: of package.json. `word`: the first one of the line; without it, all commands. */
export async function ulvsProgram(version: string, word = ''): Promise<Command> {
  return newProgram(version, await Promise.all(loadersFor(word).map((load) => load(version))));
}

function loadersFor(word: string): Load[] {
  if (VERSION.includes(word)) return [];
  const one = word === 'completion' ? undefined : LOADERS.get(word);
  return one === undefined ? [...LOADERS.values()] : [one];
}

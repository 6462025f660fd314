/**
 * The command that a line names, loaded alone. Every command together is a thousand modules, and
 * loading them takes longer than most commands run.
 *
 *   ulvs status --json ──► commands/status.js
 *   ulvs --version ──► none
 *   ulvs --help, ulvs completion, a word that is none ──► undefined: program.ts loads all
 */
import type { Command } from 'commander';

type Load = (version: string) => Promise<Command>;

const LOADERS: ReadonlyMap<string, Load> = new Map<string, Load>([
  ['run', async (version) => (await import('./commands/run.js')).runCommand(version)],
  ['check', async () => (await import('./commands/check.js')).checkCommand()],
  ['apply', async () => (await import('./commands/apply.js')).applyCommand()],
  ['diff', async () => (await import('./commands/apply.js')).diffCommand()],
  ['reload', async () => (await import('./commands/reload.js')).reloadCommand()],
  ['replay', async () => (await import('./commands/replay.js')).replayCommand()],
  ['status', async () => (await import('./commands/status.js')).statusCommand()],
  ['stats', async () => (await import('./commands/stats.js')).statsCommand()],
  ['health', async () => (await import('./commands/health.js')).healthCommand()],
  ['drain', async () => (await import('./commands/drain.js')).drainCommand()],
  ['undrain', async () => (await import('./commands/drain.js')).undrainCommand()],
  ['sysctl', async () => (await import('./commands/sysctl.js')).sysctlCommand()],
  ['proc', async () => (await import('./commands/proc.js')).procCommand()],
  ['trace', async () => (await import('./commands/trace.js')).traceCommand()],
  ['top', async () => (await import('./commands/top.js')).topCommand()],
  ['dump', async () => (await import('./commands/dump.js')).dumpCommand()],
  ['decapsulate', async () => (await import('./commands/decapsulate.js')).decapsulateCommand()],
  ['exec', async () => (await import('./commands/exec.js')).execCommandLine()],
  ['sync', async () => (await import('./commands/sync.js')).syncCommand()],
  ['configure', async () => (await import('./commands/configure.js')).configureCommand()],
  ['console', async () => (await import('./commands/console.js')).consoleCommand()],
  ['doctor', async () => (await import('./commands/doctor.js')).doctorCommand()],
  ['fleet', async () => (await import('./commands/fleet.js')).fleetCommand()],
  ['lab', async () => (await import('./commands/lab.js')).labCommand()],
  ['bench', async () => (await import('./commands/bench.js')).benchCommand()],
]);

/** The options that need no command. */
const VERSION = ['-V', '--version'];

/** The commands that the first word of a line needs. undefined: all. */
export async function commandsFor(word = '', version: string): Promise<Command[] | undefined> {
  if (VERSION.includes(word)) return [];
  const load = LOADERS.get(word);
  return load === undefined ? undefined : [await load(version)];
}

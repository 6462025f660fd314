/**
 * The command that a line names, loaded alone. Every command together is a thousand modules, and
 * loading them takes longer than most commands run.
 *
 *   ulvs status --json ──► commands/status.js
 *   ulvs --help, ulvs lab …, a word that is none ──► undefined: program.ts loads all
 */
import type { Command } from 'commander';

type Load = (version: string) => Promise<Command>;

const LOADERS: ReadonlyMap<string, Load> = new Map<string, Load>([
  ['run', async (version) => (await import('./commands/run.js')).runCommand(version)],
  ['check', async () => (await import('./commands/check.js')).checkCommand()],
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
  ['exec', async () => (await import('./commands/exec.js')).execCommandLine()],
]);

/** undefined: all commands are needed to understand the line. */
export async function singleCommand(word: string | undefined, version: string): Promise<Command | undefined> {
  return LOADERS.get(word ?? '')?.(version);
}

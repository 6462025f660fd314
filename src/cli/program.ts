/** Makes the command `ulvs` with all its subcommands. cli/main.ts runs it, tools/docs reads it. */
import type { Command } from 'commander';
import { applyCommand, diffCommand } from './commands/apply.js';
import { benchCommand } from './commands/bench.js';
import { checkCommand } from './commands/check.js';
import { completionCommand } from './commands/completion.js';
import { configureCommand } from './commands/configure.js';
import { consoleCommand } from './commands/console.js';
import { doctorCommand } from './commands/doctor.js';
import { drainCommand, undrainCommand } from './commands/drain.js';
import { dumpCommand } from './commands/dump.js';
import { execCommandLine } from './commands/exec.js';
import { fleetCommand } from './commands/fleet.js';
import { healthCommand } from './commands/health.js';
import { labCommand } from './commands/lab.js';
import { procCommand } from './commands/proc.js';
import { reloadCommand } from './commands/reload.js';
import { replayCommand } from './commands/replay.js';
import { runCommand } from './commands/run.js';
import { statsCommand } from './commands/stats.js';
import { statusCommand } from './commands/status.js';
import { syncCommand } from './commands/sync.js';
import { sysctlCommand } from './commands/sysctl.js';
import { topCommand } from './commands/top.js';
import { traceCommand } from './commands/trace.js';
import { newProgram } from './new-program.js';

/** Each subcommand is a file in commands/. `version` is that of package.json. */
export function ulvsProgram(version: string): Command {
  return newProgram(version, [
    runCommand(version),
    checkCommand(),
    reloadCommand(),
    applyCommand(),
    diffCommand(),
    dumpCommand(),
    replayCommand(),
    statusCommand(),
    statsCommand(),
    healthCommand(),
    topCommand(),
    drainCommand(),
    undrainCommand(),
    sysctlCommand(),
    syncCommand(),
    procCommand(),
    traceCommand(),
    execCommandLine(),
    configureCommand(),
    consoleCommand(),
    doctorCommand(),
    fleetCommand(),
    labCommand(),
    benchCommand(),
    completionCommand(),
  ]);
}

/** Makes the command `ulvs` with all its subcommands. cli/main.ts runs it, tools/docs reads it. */
import { Command } from 'commander';
import { applyCommand, diffCommand } from './commands/apply.js';
import { benchCommand } from './commands/bench.js';
import { checkCommand } from './commands/check.js';
import { completionCommand } from './commands/completion.js';
import { configureCommand } from './commands/configure.js';
import { doctorCommand } from './commands/doctor.js';
import { drainCommand, undrainCommand } from './commands/drain.js';
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
import { manualText } from './manual.js';

/** Each subcommand is a file in commands/. `version` is that of package.json. */
export function ulvsProgram(version: string): Command {
  const ulvs = new Command('ulvs')
    .description('a Linux Virtual Server director in user space')
    .enablePositionalOptions()
    .version(version)
    .addCommand(runCommand(version))
    .addCommand(checkCommand())
    .addCommand(reloadCommand())
    .addCommand(applyCommand())
    .addCommand(diffCommand())
    .addCommand(replayCommand())
    .addCommand(statusCommand())
    .addCommand(statsCommand())
    .addCommand(healthCommand())
    .addCommand(topCommand())
    .addCommand(drainCommand())
    .addCommand(undrainCommand())
    .addCommand(sysctlCommand())
    .addCommand(syncCommand())
    .addCommand(procCommand())
    .addCommand(traceCommand())
    .addCommand(execCommandLine())
    .addCommand(configureCommand())
    .addCommand(doctorCommand())
    .addCommand(fleetCommand())
    .addCommand(labCommand())
    .addCommand(benchCommand())
    .addCommand(completionCommand());
  for (const { name, command } of commandsOf(ulvs)) command.addHelpText('after', manualText(name).replace(/\n$/, ''));
  return ulvs;
}

export interface NamedCommand {
  /** The words after `ulvs`, as in `lab up`. */
  readonly name: string;
  readonly command: Command;
}

/** All commands below `command`; each one precedes its subcommands. */
export function commandsOf(command: Command, above = ''): NamedCommand[] {
  return command.commands.flatMap((one) => {
    const name = `${above}${one.name()}`;
    return [{ name, command: one }, ...commandsOf(one, `${name} `)];
  });
}

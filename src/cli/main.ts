#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { exitCodeOf, strict } from './command-line.js';
import { benchCommand } from './commands/bench.js';
import { configureCommand } from './commands/configure.js';
import { doctorCommand } from './commands/doctor.js';
import { labCommand } from './commands/lab.js';
import { procCommand } from './commands/proc.js';
import { replayCommand } from './commands/replay.js';
import { runCommand } from './commands/run.js';
import { statsCommand } from './commands/stats.js';
import { statusCommand } from './commands/status.js';
import { sysctlCommand } from './commands/sysctl.js';
import { traceCommand } from './commands/trace.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The command `ulvs`; each subcommand is a file beside this one. */
const ulvs = new Command('ulvs')
  .description('a Linux Virtual Server director in user space')
  .version(version)
  .addCommand(runCommand())
  .addCommand(replayCommand())
  .addCommand(statusCommand())
  .addCommand(statsCommand())
  .addCommand(sysctlCommand())
  .addCommand(procCommand())
  .addCommand(traceCommand())
  .addCommand(configureCommand())
  .addCommand(doctorCommand())
  .addCommand(labCommand())
  .addCommand(benchCommand());

try {
  await strict(ulvs).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { benchCommand } from './bench.js';
import { exitCodeOf, strict } from './commandline.js';
import { configureCommand } from './configure.js';
import { doctorCommand } from './doctor.js';
import { labCommand } from './lab.js';
import { procCommand } from './proc.js';
import { replayCommand } from './replay.js';
import { runCommand } from './run.js';
import { statsCommand } from './stats.js';
import { statusCommand } from './status.js';
import { sysctlCommand } from './sysctl.js';
import { traceCommand } from './trace.js';

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
